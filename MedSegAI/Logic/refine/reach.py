"""The part of a scan that strokes can change: the voxels near them, and the box that holds these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box


@dataclass(frozen=True, eq=False)
class Reach:
    """What lies around the strokes. All arrays are (k, j, i) over ``box``.

    Args:
        box: The strokes, ``reach_mm`` around them and one voxel more, clipped to the scan.
        label: bool, the label as it is.
        inside: bool, where the expert drew "belongs to the label".
        outside: bool, where the expert drew "does not belong to it".
        inside_mm: float, distance in mm to the nearest inside stroke; infinite where there is none.
        outside_mm: The same for outside strokes.
        free: bool, the voxels that may change beside those under a stroke: within reach, not protected, and of the
            other label than the nearest stroke says.
    """

    box: Box
    label: np.ndarray
    inside: np.ndarray
    outside: np.ndarray
    inside_mm: np.ndarray
    outside_mm: np.ndarray
    free: np.ndarray

    @property
    def stroke_mm(self) -> np.ndarray:
        """Distance in mm to the nearest stroke of either kind, float (k, j, i)."""
        return np.minimum(self.inside_mm, self.outside_mm)

    @property
    def known(self) -> np.ndarray:
        """The label with the strokes painted in, bool (k, j, i): right wherever a voxel is not free."""
        return (self.label | self.inside) & ~self.outside

    def keep_connected(self, found: np.ndarray) -> np.ndarray:
        """The label with those changes that hang together, face to face, with a stroke of their kind.

        Args:
            found: bool (k, j, i), the label that a method found.
        """
        kept = self.known.copy()
        for value, stroke in ((True, self.inside), (False, self.outside)):
            changes = (found == value) & (self.label != value) & self.free
            parts, _ = ndimage.label(changes | stroke)
            kept[changes & np.isin(parts, np.unique(parts[stroke]))] = value
        return kept


def around_strokes(
    label: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
    *,
    spacing_kji: tuple[float, float, float],
    reach_mm: float,
    largest_box: int,
    protected: np.ndarray | None = None,
) -> Reach:
    """Cut out what the strokes can change.

    Args:
        label: bool (k, j, i), the label of the whole scan.
        inside: bool (k, j, i), strokes on what belongs to the label.
        outside: bool (k, j, i), strokes on what does not.
        spacing_kji: Spacing in mm along k, j, i.
        reach_mm: How far a stroke works, mm.
        largest_box: Most voxels that the box may hold.
        protected: bool (k, j, i) or None: voxels that must keep their label.

    Raises:
        InputError: if there is no stroke, a voxel has strokes of both kinds or is protected, or too many voxels are
            within reach.
    """
    box = _box_around(inside, outside, spacing_kji=spacing_kji, reach_mm=reach_mm)
    _refuse_too_many(box.shape, largest_box)
    label, inside, outside = (np.asarray(array[box.slices], dtype=bool) for array in (label, inside, outside))
    _refuse_contradiction(inside, outside, protected=None if protected is None else protected[box.slices])
    inside_mm, outside_mm = (_distance(stroke, spacing_kji) for stroke in (inside, outside))
    free = np.minimum(inside_mm, outside_mm) <= reach_mm
    free &= ~inside & ~outside
    free &= np.where(label, outside_mm < inside_mm, inside_mm <= outside_mm)
    if protected is not None:
        free &= ~protected[box.slices].astype(bool)
    return Reach(box, label, inside, outside, inside_mm, outside_mm, free)


def _box_around(
    inside: np.ndarray, outside: np.ndarray, *, spacing_kji: tuple[float, float, float], reach_mm: float
) -> Box:
    boxes = [box for box in (Box.around(inside), Box.around(outside)) if box is not None]
    if not boxes:
        raise InputError("There is no stroke to refine by.", advice="Draw at least one inside or outside stroke.")
    strokes = boxes[0].union(boxes[-1])
    margin = [int(np.floor(reach_mm / spacing)) + 1 for spacing in spacing_kji]
    grown = Box(tuple(a - m for a, m in zip(strokes.start, margin)), tuple(b + m for b, m in zip(strokes.stop, margin)))
    return grown.clip(inside.shape)


def _refuse_too_many(shape: tuple[int, int, int], largest: int) -> None:
    if np.prod(shape, dtype=np.int64) > largest:
        raise InputError(
            f"The strokes reach over {' x '.join(map(str, shape))} voxels, more than the {largest} that can be refined "
            "at once.",
            advice="Refine after each stroke, or choose a shorter reach.",
        )


def _refuse_contradiction(inside: np.ndarray, outside: np.ndarray, *, protected: np.ndarray | None) -> None:
    both = int(np.count_nonzero(inside & outside))
    if both:
        raise InputError(
            f"{both} voxels have an inside and an outside stroke.", advice="Erase one of the two strokes there."
        )
    if protected is not None and (protected & (inside | outside)).any():
        raise InputError(
            "A stroke goes over voxels that are protected.",
            advice="Draw beside them, or allow the refinement to change them.",
        )


def _distance(stroke: np.ndarray, spacing_kji: tuple[float, float, float]) -> np.ndarray:
    if not stroke.any():
        return np.full(stroke.shape, np.inf)
    return ndimage.distance_transform_edt(~stroke, sampling=spacing_kji)
