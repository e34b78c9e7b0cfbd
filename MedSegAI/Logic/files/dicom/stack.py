"""Parallel image planes as one stack: their order, the grid they make, and how far a tilted gantry shifts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.planes import Plane
from MedSegAI.Logic.geometry import Grid

SAME_PLACE_MM = 1e-2
_GAP = 0.25
_OFF_EVEN_PLACE = 0.1
_WORTH_A_NOTE_MM = 0.1
_DRIFT_IN_PIXELS = 0.5
_ERRATIC_MM = 0.1


@dataclass(frozen=True, eq=False)
class Stack:
    """Planes in order along their normal.

    Args:
        planes: One for each k.
        grid: LPS mm, k along the normal of the planes from the first plane's corner; for a tilted gantry it holds for
            the first plane only.
        shift_mm: How far each plane is shifted along i and j against the one before it; zero for a straight stack.
        notes: What is not perfect about it, in sentences.
    """

    planes: tuple[Plane, ...]
    grid: Grid
    shift_mm: tuple[float, float]
    notes: tuple[str, ...]

    @property
    def is_tilted(self) -> bool:
        """Whether the planes are not stacked straight, as with a tilted gantry."""
        return self.shift_mm != (0.0, 0.0)

    @property
    def tilt_degrees(self) -> float:
        """Angle between the stacking direction and the normal of the planes."""
        return float(np.degrees(np.arctan2(np.hypot(*self.shift_mm), self.grid.spacing[2])))


def in_order(planes: Sequence[Plane]) -> tuple[list[Plane], np.ndarray]:
    """The planes sorted along their normal, and their places (n,) along it in mm.

    Raises:
        InputError: for a plane whose place is not a finite number.
    """
    _refuse_no_place(planes)
    places = np.array([plane.position for plane in planes]) @ planes[0].axes[:, 2]
    order = np.argsort(places, kind="stable")
    return [planes[at] for at in order], places[order]


def stack(planes: Sequence[Plane], *, name: str) -> Stack:
    """Arrange parallel planes of one size.

    Args:
        planes: In any order, one at each place.
        name: What a sentence calls them, such as "the series 'T1'".

    Raises:
        InputError: for fewer than two planes, a missing one, uneven distances, or planes shifted irregularly; says
            between which files.
    """
    if len(planes) < 2:
        raise InputError(
            f"{_start(name)} holds a single 2D image; a 3D volume is needed.",
            advice="Give the folder of the whole series.",
        )
    ordered, along = in_order(planes)
    steps = np.diff(along)
    _refuse_gaps(ordered, steps, name)
    step = float(along[-1] - along[0]) / (len(ordered) - 1)
    notes = _evenness(ordered, along - along[0] - step * np.arange(len(ordered)), step, name)
    shift = _shift(ordered, name)
    first = ordered[0]
    shape = (len(ordered), first.size[1], first.size[0])
    grid = Grid(shape, (*first.pixel_mm, step), tuple(first.position), tuple(first.axes.ravel()))
    return Stack(tuple(ordered), grid, shift, notes)


def _start(name: str) -> str:
    return name[:1].upper() + name[1:]


def _refuse_no_place(planes: Sequence[Plane]) -> None:
    for plane in planes:
        if not np.isfinite(plane.position).all():
            raise InputError(
                f"{plane.label} does not say where it lies: its position is not made of usable numbers.",
                advice="Export the series again.",
            )


def _refuse_gaps(planes: list[Plane], steps: np.ndarray, name: str) -> None:
    usual = float(np.median(steps))
    at = int(np.argmax(np.abs(steps - usual)))
    if abs(steps[at] - usual) <= _GAP * usual:
        return
    gaps = int(np.count_nonzero(np.abs(steps - usual) > _GAP * usual))
    fault = "A slice is missing" if steps[at] > usual else "The slices are unevenly spaced"
    places = "" if gaps == 1 else f" (and at {gaps - 1} more places)"
    raise InputError(
        f"{fault} in {name} between {planes[at].label} and {planes[at + 1].label}{places}: "
        f"they are {steps[at]:.2f} mm apart, the others {usual:.2f} mm.",
        advice="Fetch the complete series again.",
    )


def _evenness(planes: list[Plane], off: np.ndarray, step: float, name: str) -> tuple[str, ...]:
    """A note where a plane lies visibly off its even place; a refusal where that would bend what is seen."""
    at = int(np.argmax(np.abs(off)))
    worst = float(abs(off[at]))
    if worst > max(_OFF_EVEN_PLACE * step, SAME_PLACE_MM):
        raise InputError(
            f"The slices are unevenly spaced in {name}: {planes[at].label} lies {worst:.2f} mm off the place that "
            f"even steps of {step:.2f} mm would give it.",
            advice="Fetch the series again, or ask for a reconstruction with even slice spacing.",
        )
    if worst > _WORTH_A_NOTE_MM:
        return (f"The slices are taken as evenly spaced; {planes[at].label} lies {worst:.2f} mm off its even place.",)
    return ()


def _shift(planes: list[Plane], name: str) -> tuple[float, float]:
    """Shift along i and j from plane to plane in mm; zero where the whole drift stays below half a pixel."""
    first = planes[0]
    inside = np.array([plane.position - first.position for plane in planes]) @ first.axes[:, :2]
    counts = np.arange(len(planes))
    shift = inside[-1] / (len(planes) - 1)
    worst = int(np.argmax(np.linalg.norm(inside - counts[:, None] * shift, axis=1)))
    irregular = float(np.linalg.norm(inside[worst] - worst * shift))
    pixel = min(first.pixel_mm)
    if irregular > max(_ERRATIC_MM, _DRIFT_IN_PIXELS * pixel):
        raise InputError(
            f"The slices in {name} are not stacked straight: {planes[worst].label} is shifted sideways by "
            f"{irregular:.2f} mm against its neighbours.",
            advice="Choose the original reconstruction; a series moved by hand or by motion correction cannot be read.",
        )
    if np.linalg.norm(inside[-1]) <= _DRIFT_IN_PIXELS * pixel:
        return 0.0, 0.0
    return float(shift[0]), float(shift[1])
