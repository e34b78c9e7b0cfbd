"""What every step of preparation has in common: settings in, a scan and its record out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol

import numpy as np

from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Volume


@dataclass(frozen=True, eq=False)
class Standardised:
    """What a step made of a scan.

    Args:
        volume: The scan afterwards, on the grid of the scan before; ``volume.steps`` ends with this step's record.
        undo: Brings voxels (k, j, i) in the new values back to the old ones; None where values were lost, as by
            clipping. The record says what is needed to understand a step that cannot be undone.
        extras: What else is worth looking at, by name, such as the bias field of N4.
    """

    volume: Volume
    undo: Callable[[np.ndarray], np.ndarray] | None = None
    extras: Mapping[str, Volume] = field(default_factory=dict)

    @property
    def record(self) -> StepRecord:
        """What the step did."""
        return self.volume.steps[-1]


class Step(Protocol):
    """One way to bring a scan into shape: a frozen dataclass that inherits this; its fields are its settings.

    Settings are JSON values, or tuples of them, and each has a default.
    """

    kind: ClassVar[str]
    """Key, as the command line and files have it: lower case with hyphens, such as "n4"."""
    title: ClassVar[str]
    """What a person reads, such as "Bias field correction (N4)"."""
    modalities: ClassVar[tuple[Modality, ...]]
    """The kinds of scan it is meant for; a scan of unknown kind is accepted by all."""

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """Do it; the scan that came in is not touched.

        Raises:
            InputError: if this scan cannot be brought into shape in this way; says why and what would help.
            Cancelled: if the reporter asked to stop.
        """

    def to_plain(self) -> dict[str, Any]:
        """The settings as JSON values, by field name; tuples become lists."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def apply_steps(volume: Volume, steps: tuple[Step, ...], *, reporter: Reporter) -> Standardised:
    """Apply several steps in turn; can be undone where each of them can.

    Raises:
        InputError: as the step that refused.
        Cancelled: if the reporter asked to stop.
    """
    undone: list[Callable[[np.ndarray], np.ndarray] | None] = []
    extras: dict[str, Volume] = {}
    for step in steps:
        done = step.apply(volume, reporter=reporter)
        volume = done.volume
        undone.append(done.undo)
        extras |= done.extras
    return Standardised(volume, _in_reverse(undone), extras)


def _in_reverse(undone: list[Callable[[np.ndarray], np.ndarray] | None]) -> Callable[[np.ndarray], np.ndarray] | None:
    known = [undo for undo in undone if undo is not None]
    if len(known) < len(undone):
        return None

    def undo_all(array: np.ndarray) -> np.ndarray:
        for undo in reversed(known):
            array = undo(array)
        return array

    return undo_all
