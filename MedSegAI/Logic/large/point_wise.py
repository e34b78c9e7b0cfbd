"""Steps of preparation that look at one voxel at a time, done to a part of a scan as to the whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.step import Step
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

POINT_WISE_KINDS = ("ct-clip", "window")


def can_be_done_in_parts(steps: tuple[Step, ...]) -> bool:
    """Whether each step looks at one voxel at a time."""
    return all(step.kind in POINT_WISE_KINDS for step in steps)


@dataclass(frozen=True, eq=False)
class PointWise:
    """A chain of steps whose result at a voxel depends on that voxel alone.

    Args:
        steps: The steps, in this order.
        described: A scan of two voxels that stands for the whole: its kind, unit, name and what was done before.
    """

    steps: tuple[Step, ...]
    described: Volume

    @classmethod
    def of(cls, source: PlaneSource, steps: tuple[Step, ...]) -> PointWise:
        """The chain for one scan.

        Raises:
            InputError: for a step that needs to see the whole scan, or one that this scan cannot go through.
        """
        for step in steps:
            if step.kind not in POINT_WISE_KINDS:
                raise InputError(
                    f"'{step.title}' looks at the whole scan, so it cannot be done a few planes at a time.",
                    advice=f"Do it to a scan that fits into memory; of planes: {', '.join(POINT_WISE_KINDS)}.",
                )
        if steps and Modality.CT in steps[0].modalities and source.unit is not Unit.HOUNSFIELD:
            raise InputError(
                f"'{source.name}' does not say that its values are Hounsfield units.",
                advice="Say that it is a CT (--modality CT), or bring it to Hounsfield units first.",
            )
        pair = np.array([[[0, 1]]], source.dtype)
        described = Volume(
            pair,
            Grid((1, 1, 2), source.grid.spacing, source.grid.origin, source.grid.direction),
            source.modality,
            source.unit,
            source.name,
            source.frame_of_reference,
            source.steps,
            source.acquisition,
        )
        return cls(steps, described)

    def after(self) -> Volume:
        """The two voxels after all steps: dtype, unit, and a record of each step that counts no voxels."""
        done = self._applied(self.described)
        records = tuple(
            StepRecord(step.kind, f"{step.title}, done a few planes at a time.", step.to_plain()) for step in self.steps
        )
        return replace(done, steps=(*self.described.steps, *records))

    def apply(self, array: np.ndarray) -> np.ndarray:
        """The voxels (k, j, i) of a part of the scan after all steps; the array itself where there are none.

        Raises:
            InputError: as the step that refused.
        """
        if not self.steps or array.size == 0:
            return array
        return self._applied(replace(self.described, array=array, grid=Grid(array.shape))).array

    def _applied(self, volume: Volume) -> Volume:
        for step in self.steps:
            low = volume.array.min()
            if low == volume.array.max():
                # A step refuses a scan whose voxels are all alike, as those of a part may well be.
                pair = np.array([[[low, low - 1 if low > 0 else low + 1]]], volume.array.dtype)
                done = _done(step, replace(volume, array=pair, grid=Grid(pair.shape)))
                filled = np.full(volume.array.shape, done.array[0, 0, 0], done.array.dtype)
                volume = replace(done, array=filled, grid=volume.grid)
            else:
                volume = _done(step, volume)
        return volume


def _done(step: Step, volume: Volume) -> Volume:
    return step.apply(volume, reporter=SilentReporter()).volume
