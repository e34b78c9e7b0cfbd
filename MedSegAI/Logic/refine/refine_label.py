"""One label of a label map mended from strokes: what a session hands over and takes back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.refine.nearby_probability import NearbyProbability
from MedSegAI.Logic.refine.refine import refine
from MedSegAI.Logic.refine.settings import RefineMethod, RefineSettings
from MedSegAI.Logic.volume import Volume

INSIDE, OUTSIDE = 1, 2
"""Values of a map of strokes."""

STROKES = LabelTable(
    (
        Label(INSIDE, "inside", "Belongs to it", (0.35, 0.85, 0.35)),
        Label(OUTSIDE, "outside", "Does not belong to it", (0.95, 0.35, 0.30)),
    )
)


@dataclass(frozen=True, eq=False)
class RefinedLabels:
    """A label map of which one label was refined.

    Args:
        labels: The box's labels uint8 (k, j, i), at their place in the patient.
        before: The same box as it was.
        box: The box (k, j, i) of the scan's grid outside which nothing changed.
    """

    labels: Volume
    before: Volume
    box: Box


def refine_label(
    scan: Volume,
    labels: Volume,
    strokes: np.ndarray,
    *,
    label: Label,
    probability: NearbyProbability | None = None,
    method: RefineMethod = RefineMethod.GRAPH_CUT,
    settings: RefineSettings | None = None,
) -> RefinedLabels:
    """Mend one label near the strokes; other labels are never written over, except under an inside stroke.

    Args:
        scan: The scan (k, j, i), LPS mm.
        labels: uint8 label map on the scan's grid.
        strokes: uint8 (k, j, i), :data:`INSIDE` and :data:`OUTSIDE` where strokes were drawn.
        label: The label to mend.
        probability: What the network says of it near the strokes; None takes only the image and the label.
        method: How the border is found.
        settings: How far and how strongly a stroke works; None takes the method's own.

    Raises:
        InputError: as :func:`refine`, and if the strokes change nothing.
    """
    mask, inside = labels.array == label.value, strokes == INSIDE
    others = (labels.array != 0) & ~mask & ~inside
    options = {"probability": probability, "protected": others, "method": method, "settings": settings}
    found = refine(scan, mask, inside, strokes == OUTSIDE, **options)
    if found.changed is None:
        raise InputError(
            f"The strokes change nothing of '{label.name}'.",
            advice="Draw what is missing as belonging to it, and what is too much as not belonging to it.",
        )
    before = labels.crop(found.changed)
    now, was = found.mask[found.changed.slices], mask[found.changed.slices]
    after = np.where(now, np.uint8(label.value), np.where(was, np.uint8(0), before.array))
    return RefinedLabels(before.with_array(after), before.with_array(before.array.copy()), found.changed)


def blank_strokes(scan: Volume) -> Volume:
    """A map without strokes on a scan's grid, uint8 (k, j, i)."""
    return Volume(np.zeros(scan.grid.shape, np.uint8), scan.grid, name="strokes")


def without_strokes(strokes: Volume) -> Volume:
    """The same map with all strokes taken away."""
    return strokes.with_array(np.zeros_like(strokes.array))
