"""ROC and precision-recall curves of a model's probabilities, voxel by voxel.

A voxel's score for a label is the softmax of the mean logits, before any threshold and any choice of components; its
truth is the expert's label brought to the network's own grid. All voxels that the network was shown count (the whole
crop, or every region the localiser found), or only those near the border of the reference. The whole crop is mostly
background that no network mistakes, so its area under the ROC curve is near 1 for any usable model; a band, or the
precision, tells models apart.

Voxels of one scan are anything but independent, so each case has its own areas, and intervals are drawn over subjects;
DeLong's variance would be far too small here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.curve_summary import PRECISION_AT, RATES_AT, CaseCurve, CurveSummary
from MedSegAI.Logic.evaluation.precision_recall import average_precision, precision_recall_curve
from MedSegAI.Logic.evaluation.roc import area_under_roc, roc_curve
from MedSegAI.Logic.evaluation.scored import scored
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.standardise.resample import resample_labels
from MedSegAI.Logic.volume import Volume


@dataclass(eq=False)
class VoxelCurves:
    """Gathers the curves of case after case.

    Args:
        band_mm: Count only voxels at most this far in mm from the reference's border, on either side; None counts all.

    Raises:
        InputError: for a band that is not positive.
    """

    band_mm: float | None = None
    cases: list[CaseCurve] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.band_mm is not None and not 0 < self.band_mm < np.inf:
            raise InputError(f"A band of {self.band_mm} mm is not usable.", advice="Choose a width above 0 mm.")

    def add(self, case: str, *, probabilities: CaseProbabilities, reference: Volume, table: LabelTable) -> None:
        """Take the curves of one case that was segmented.

        Args:
            case: Its name.
            probabilities: What was watched while it was segmented.
            reference: The expert's label map (k, j, i), LPS mm.
            table: The labels to draw curves of.
        """
        for label in table:
            found = [self._voxels(seen, label.value, reference) for seen in probabilities.regions]
            truth, scores = (np.concatenate(part) for part in zip(*found))
            self.cases.append(_case_curve(case, label.key, truth, scores))

    def summary(self, *, subject_rule: str = "") -> CurveSummary:
        """The means over cases, with intervals over subjects."""
        return CurveSummary(tuple(self.cases), self.band_mm, subject_rule)

    def _voxels(self, seen: RegionProbabilities, value: int, reference: Volume) -> tuple[np.ndarray, np.ndarray]:
        """Truth and score of the voxels of one region that count, each (n,)."""
        channel = seen.region.network_value(value)
        if channel is None:
            return np.zeros(0, bool), np.zeros(0, np.float32)
        here = resample_labels(reference, seen.region.grid).array
        truth = seen.region.orient(here) == value
        scores = np.stack([plane[channel] for plane in seen.planes])
        if self.band_mm is None:
            return truth.ravel(), scores.ravel()
        near = _near_border(truth, seen.region.grid.spacing_kji, self.band_mm)
        return truth[near], scores[near]


@dataclass(eq=False)
class RegionProbabilities:
    """The softmax of a region's planes, each (classes, j, i) float32, in the network's own orientation."""

    region: LocalisedRegion
    planes: list[np.ndarray] = field(default_factory=list)

    def take(self, _k: int, logits: np.ndarray) -> None:
        """Keep the next plane of mean logits (classes, j, i); one that no window reached is background."""
        apart = np.exp(logits - logits.max(axis=0))
        plane = apart / apart.sum(axis=0)
        unseen = ~logits.any(axis=0)
        plane[:, unseen] = 0.0
        plane[0, unseen] = 1.0
        self.planes.append(plane)


@dataclass(eq=False)
class CaseProbabilities:
    """Watches one run of :func:`segment`: pass :meth:`watch` to it."""

    regions: list[RegionProbabilities] = field(default_factory=list)

    def watch(self, region: LocalisedRegion) -> Callable[[int, np.ndarray], None]:
        """What is shown the planes of a region."""
        self.regions.append(RegionProbabilities(region))
        return self.regions[-1].take


def _near_border(truth: np.ndarray, spacing_kji: tuple[float, float, float], band_mm: float) -> np.ndarray:
    """Voxels whose centre lies at most ``band_mm`` from the nearest voxel of the other kind; none where one is missing.

    The outside of the region is of neither kind.
    """
    from scipy.ndimage import distance_transform_edt

    if truth.all() or not truth.any():
        return np.zeros_like(truth)
    return np.where(truth, *(distance_transform_edt(m, sampling=spacing_kji) for m in (truth, ~truth))) <= band_mm


def _case_curve(case: str, label: str, truth: np.ndarray, scores: np.ndarray) -> CaseCurve:
    """No figures where the label, or its background, has no voxel."""
    if not truth.any() or truth.all():
        return CaseCurve(case, label, int(truth.size), int(truth.sum()))
    voxels = scored(truth, scores)
    roc, precision = roc_curve(voxels), precision_recall_curve(voxels)
    first = np.searchsorted(precision.recall, PRECISION_AT - 1e-12).clip(0, len(precision.recall) - 1)
    return CaseCurve(
        case,
        label,
        voxels=int(truth.size),
        positives=voxels.positives,
        auc=area_under_roc(voxels).value,
        average_precision=average_precision(voxels).value,
        true_positive_rate=np.interp(RATES_AT, roc.false_positive_rate, roc.true_positive_rate),
        precision=precision.precision[first],
    )
