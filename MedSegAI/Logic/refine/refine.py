"""A label mended from a few strokes: the one call that a session makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.refine.evidence import evidence
from MedSegAI.Logic.refine.geodesic import geodesic
from MedSegAI.Logic.refine.graph_cut import graph_cut
from MedSegAI.Logic.refine.nearby_probability import NearbyProbability
from MedSegAI.Logic.refine.neighbours import neighbours
from MedSegAI.Logic.refine.random_walker import random_walker
from MedSegAI.Logic.refine.reach import Reach, around_strokes
from MedSegAI.Logic.refine.settings import RefineMethod, RefineSettings
from MedSegAI.Logic.volume import Volume


@dataclass(frozen=True, eq=False)
class Refinement:
    """A refined label.

    Args:
        mask: bool (k, j, i) on the scan's grid.
        changed: The smallest box that holds every voxel whose label changed, None where none did.
    """

    mask: np.ndarray
    changed: Box | None


def refine(
    image: Volume,
    label: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
    *,
    probability: np.ndarray | NearbyProbability | None = None,
    protected: np.ndarray | None = None,
    method: RefineMethod = RefineMethod.GRAPH_CUT,
    settings: RefineSettings | None = None,
) -> Refinement:
    """Mend a label from strokes on what belongs to it and what does not.

    Voxels under a stroke get the stroke's label. Of the others, a voxel may change only if it is within reach of a
    stroke, the nearest stroke says the other label than it has (where both kinds are as near, the inside one counts),
    and the change is connected to such a stroke by voxels that change. So an inside stroke alone never removes, an
    outside stroke alone never adds, and nothing changes farther away than the reach. The same input gives the same
    result.

    Args:
        image: The scan, (k, j, i), LPS mm; only voxels near the strokes are read.
        label: bool (k, j, i), the label as it is; it is not written to.
        inside: bool (k, j, i), strokes on what belongs to the label.
        outside: bool (k, j, i), strokes on what does not belong to it.
        probability: float (k, j, i), 0..1, that a voxel belongs to the label, not a number where unknown: see
            :func:`probability_of_label`; or the same for a box alone. None takes only the image and the label.
        protected: bool (k, j, i): voxels that keep their label whatever happens, such as those of other labels or of
            earlier strokes. None protects nothing.
        method: How the border is found.
        settings: How far and how strongly a stroke works; None takes the method's own.

    Raises:
        InputError: if there is no stroke, strokes contradict each other or go over protected voxels, an array's shape
            is not the scan's, the image near the strokes has values that are no numbers, or the strokes reach over too
            many voxels.
    """
    whole = None if isinstance(probability, NearbyProbability) else probability
    _refuse_other_shapes(image, label=label, inside=inside, outside=outside, probability=whole, protected=protected)
    settings = settings or RefineSettings.of(method)
    spacing = image.grid.spacing_kji
    reach = around_strokes(
        label,
        inside,
        outside,
        spacing_kji=spacing,
        reach_mm=settings.reach_mm,
        largest_box=settings.largest_box,
        protected=protected,
    )
    voxels = image.array[reach.box.slices]
    if not np.isfinite(voxels).all():
        raise InputError(
            f"'{image.name}' has values near the strokes that are not numbers.", advice="Mend the scan, or paint there."
        )
    local = None if whole is None else whole[reach.box.slices]
    if isinstance(probability, NearbyProbability):
        local = probability.within(reach.box)
    log_odds = evidence(voxels, reach, settings=settings, probability=local)
    pairs = neighbours(voxels, reach.free, spacing_kji=spacing)
    found = _solver(method)(log_odds, pairs, reach.known, reach.free, smoothness=settings.smoothness)
    return _written_into(label, reach, reach.keep_connected(found))


def probability_of_label(winner: np.ndarray, confidence: np.ndarray, *, value: int) -> np.ndarray:
    """What a segmentation's per-voxel confidence says of one label, float32 (k, j, i), 0..1.

    Where the label won, it is the confidence; where another one won, what that one left, which is the most that the
    label can have had; where the network did not look (confidence 0), not a number.

    Args:
        winner: The network's label map (k, j, i).
        confidence: Probability (k, j, i) of the label that won, 0..1.
        value: The label.
    """
    sure = confidence.astype(np.float32)
    found = np.where(winner == value, sure, 1 - sure)
    return np.where(sure > 0, found, np.float32(np.nan))


def _solver(method: RefineMethod) -> Callable[..., np.ndarray]:
    return {
        RefineMethod.GRAPH_CUT: graph_cut,
        RefineMethod.RANDOM_WALKER: random_walker,
        RefineMethod.GEODESIC: geodesic,
    }[RefineMethod(method)]


def _refuse_other_shapes(image: Volume, **arrays: np.ndarray | None) -> None:
    for name, array in arrays.items():
        if array is not None and array.shape != image.grid.shape:
            raise InputError(
                f"The {name} has the shape {array.shape}, '{image.name}' has {image.grid.shape}.",
                advice="Draw on the scan that the label was made for.",
            )


def _written_into(label: np.ndarray, reach: Reach, found: np.ndarray) -> Refinement:
    mask = label.astype(bool)
    mask[reach.box.slices] = found
    changed = Box.around(found != reach.label)
    return Refinement(mask, None if changed is None else changed.shift(reach.box.start))
