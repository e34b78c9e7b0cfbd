"""The validation cases that a network is worst at, as pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from MedSegAI.Logic.label_counts import label_values
from MedSegAI.Logic.report.plane_drawing import BACKGROUND, FAINT, TEXT, new_figure
from MedSegAI.Logic.training.training_set import ShownCase, ShowsCases, ValidationSet

REFERENCE_COLOUR, PREDICTED_COLOUR = "#f0e442", "#56b4e9"
"""Yellow and sky blue, told apart by colour-blind eyes (Okabe and Ito)."""
_PLANES = (("axial", 0), ("coronal", 1), ("sagittal", 2))
_INCHES, _DPI = (9.6, 3.5), 100
_MARGIN = 8


@dataclass(frozen=True, eq=False)
class WorstCase:
    """A validation case, its Dice (mean of its labels, and each by name), and three slices as a PNG."""

    name: str
    mean_dice: float
    dice: Mapping[str, float]
    picture: bytes


def case_names(watched: ValidationSet) -> list[str]:
    """What the cases are called; numbered where the set has no names."""
    if isinstance(watched, ShowsCases):
        return list(watched.names)
    return [f"case {number}" for number in range(1, len(watched) + 1)]


def show_worst_cases(
    watched: ValidationSet, network: nn.Module, scores: Sequence[Mapping[str, float]], *, count: int
) -> list[WorstCase]:
    """The cases of lowest mean Dice, lowest first; none where the set cannot show its cases.

    Args:
        watched: The cases.
        network: Whose answers are shown; in evaluation mode.
        scores: Dice of each label by its name, one mapping a case.
        count: How many.
    """
    if not isinstance(watched, ShowsCases):
        return []
    means = [sum(score.values()) / len(score) for score in scores]
    worst = sorted(range(len(scores)), key=lambda index: means[index])[:count]
    return [
        WorstCase(watched.names[index], means[index], scores[index], case_picture(watched.show(network, index)))
        for index in worst
    ]


def case_picture(case: ShownCase) -> bytes:
    """Axial, coronal and sagittal slice where expert and network differ most, with the outlines of both: PNG.

    Radiological convention: the patient's right is on the left, the front or the head at the top.
    """
    figure = new_figure(_INCHES, dpi=_DPI)
    box, low, high = _region(case), *_grey_range(case.image)
    centre = _most_different(case)
    for number, (name, axis) in enumerate(_PLANES):
        axes = figure.add_axes((0.005 + 0.333 * number, 0.1, 0.323, 0.8))
        rows, columns = [other for other in range(3) if other != axis]
        steps = case.spacing_mm[::-1]
        cut = _cutter(axis, centre[axis], box, case.directions)
        axes.imshow(cut(case.image), cmap="gray", vmin=low, vmax=high, aspect=steps[rows] / steps[columns])
        for labels, colour in ((case.reference, REFERENCE_COLOUR), (case.predicted, PREDICTED_COLOUR)):
            for value in label_values(labels):
                mask = cut(labels) == value
                if mask.any() and not mask.all():
                    axes.contour(mask, levels=[0.5], colors=[colour], linewidths=1.5)
        axes.set_axis_off()
        axes.set_title(f"{name}, slice {centre[axis] + 1} of {case.image.shape[axis]}", color=TEXT, fontsize=9, pad=4)
    figure.text(0.01, 0.04, "expert", color=REFERENCE_COLOUR, fontsize=9, va="center", weight="bold")
    figure.text(0.07, 0.04, "network", color=PREDICTED_COLOUR, fontsize=9, va="center", weight="bold")
    figure.text(0.99, 0.04, "the patient's right is on the left", color=FAINT, fontsize=8, va="center", ha="right")
    written = io.BytesIO()
    figure.savefig(written, format="png", facecolor=BACKGROUND)
    return written.getvalue()


def _cutter(
    axis: int, place: int, box: tuple[slice, slice, slice], directions: str
) -> Callable[[np.ndarray], np.ndarray]:
    """Cuts a slice out of an array (k, j, i), head or front at the top, right or front at the left."""
    turned = tuple(slice(None, None, -1 if directions[2 - n] in "RAS" else 1) for n in range(3) if n != axis)

    def cut(array: np.ndarray) -> np.ndarray:
        plane = np.take(array[tuple(slice(None) if n == axis else box[n] for n in range(3))], place, axis=axis)
        return plane[turned]

    return cut


def _most_different(case: ShownCase) -> tuple[int, int, int]:
    """Slices (k, j, i) in which most voxels differ, of those that both marked; else those with most of either."""
    wrong, either = case.reference != case.predicted, (case.reference > 0) | (case.predicted > 0)
    places = []
    for axis in range(3):
        others = tuple(n for n in range(3) if n != axis)
        in_both = case.reference.any(axis=others) & case.predicted.any(axis=others)
        counted = (wrong.sum(axis=others) + 1) * in_both if in_both.any() else either.sum(axis=others)
        places.append(int(counted.argmax()))
    return tuple(places)


def _region(case: ShownCase) -> tuple[slice, slice, slice]:
    """Around all labels, with a margin; the whole image where there are none."""
    marked = np.argwhere((case.reference > 0) | (case.predicted > 0))
    if not len(marked):
        return (slice(None),) * 3
    low, high = marked.min(axis=0) - _MARGIN, marked.max(axis=0) + 1 + _MARGIN
    return tuple(slice(max(int(a), 0), int(b)) for a, b in zip(low, high))


def _grey_range(image: np.ndarray) -> tuple[float, float]:
    low, high = (float(value) for value in np.percentile(image, (0.5, 99.5)))
    return low, max(high, low + 1e-6)
