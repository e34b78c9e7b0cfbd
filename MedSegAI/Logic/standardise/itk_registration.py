"""What every registration with SimpleITK here needs: one thread, lengths in fair units, progress through its stages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    import SimpleITK

# Lengths are given to the optimiser in units of a head's radius, so that one step turns, stretches and shifts alike.
UNIT_MM = 60.0


class Stages:
    """Progress through the stages of a registration, and the question whether to stop between them."""

    def __init__(self, reporter: Reporter, stage: str, *, total: int) -> None:
        self._reporter, self._stage, self._done, self._total = reporter, stage, 0, total
        reporter.progress(0, total, stage)

    def next(self) -> None:
        """One stage more is done; raises Cancelled if the user asked to stop."""
        raise_if_cancelled(self._reporter)
        self._done += 1
        self._reporter.progress(self._done, self._total, self._stage)

    def finish(self) -> None:
        """All stages are done."""
        self._reporter.progress(self._total, self._total, self._stage)


@contextmanager
def one_thread() -> Iterator[None]:
    """ITK on one thread meanwhile: its metric adds up in the order in which threads finish."""
    import SimpleITK as sitk

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def in_units(volume: Volume, *, padding_mm: float = 0.0) -> SimpleITK.Image:
    """The volume as SimpleITK's image with lengths in :data:`UNIT_MM`, padded all around by its smallest value."""
    import SimpleITK as sitk

    image = volume.to_sitk()
    if padding_mm:
        width = [int(np.ceil(padding_mm / spacing)) for spacing in volume.grid.spacing]
        image = sitk.ConstantPad(image, width, width, float(volume.array.min()))
    image.SetSpacing([value / UNIT_MM for value in image.GetSpacing()])
    image.SetOrigin([value / UNIT_MM for value in image.GetOrigin()])
    return image


def matrix_in_mm(transform: SimpleITK.Transform) -> tuple[float, ...]:
    """The row-major 4 x 4 matrix, LPS mm to LPS mm, of a linear transform about a centre in :data:`UNIT_MM`."""
    turn = np.reshape(transform.GetMatrix(), (3, 3))
    centre = np.array(transform.GetCenter()) * UNIT_MM
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = centre + np.array(transform.GetTranslation()) * UNIT_MM - turn @ centre
    return tuple(float(value) for value in matrix.ravel())
