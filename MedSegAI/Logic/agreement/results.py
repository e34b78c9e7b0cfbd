"""What was measured of the agreement in one case, ready to be shown, reported or kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from MedSegAI.Logic.agreement.bootstrap import Estimate, Resampling
from MedSegAI.Logic.agreement.places import Place
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.labels import Label, LabelTable


@dataclass(frozen=True)
class AgreementSettings:
    """How agreement is measured.

    Args:
        margin_mm: Kappa, alpha and specificity count the voxels of the tight box around all votes (raters and
            consensus) for the label, plus this margin on each side. They depend on it: the more background is counted
            that nobody would ever call the label, the larger the agreement by chance, and the closer specificity
            comes to 1. A fixed margin in mm makes cases of different size and spacing alike, and what the whole scan
            happens to show beside the structure does not matter.
        tolerance_mm: Distance in mm at which two outlines count as the same in the surface Dice.
        resampling: How the intervals are drawn.
        most_places: How many places of disagreement are listed, the most uncertain first.
    """

    margin_mm: float = 5.0
    tolerance_mm: float = 2.0
    resampling: Resampling = field(default_factory=Resampling)
    most_places: int = 100


@dataclass(frozen=True)
class PairAgreement:
    """Two raters, or a rater and the consensus, on one label; over the voxels that both looked at.

    Everything is None where they looked at no voxel in common.

    Args:
        first: Name of a rater.
        second: Name of the other, or "consensus".
        dice: Dice coefficient; 1 where neither has the label, 0 where one of them has it.
        hd95_mm: See :func:`MedSegAI.Logic.evaluation.metrics.hd95`; 0 where neither has the label, None where only one
            has it.
        surface_dice: See :func:`MedSegAI.Logic.evaluation.surface_dice.surface_dice`; 1 where neither has the label,
            0 where only one has it.
        difference_ml: Volume of the first less that of the second, mL.
        difference_percent: The same in per cent of the mean of both volumes, -200 to 200; 0 where both are empty.
        kappa: Cohen's kappa, label against everything else, in the label's region.
    """

    first: str
    second: str
    dice: Estimate
    hd95_mm: float | None
    surface_dice: float | None
    difference_ml: float | None
    difference_percent: float | None
    kappa: Estimate


@dataclass(frozen=True)
class RaterPerformance:
    """One rater against the consensus on one label, over the voxels of the label's region that the rater looked at.

    Args:
        rater: Name of the rater.
        volume_ml: What the rater drew, mL.
        sensitivity: Share of the consensus that the rater has, too; undefined where the consensus is empty.
        specificity: Share of the rest of the region that the rater left out, too; depends on the margin.
        estimated_sensitivity: What the fusion itself estimated (STAPLE), where it was given.
        estimated_specificity: What the fusion itself estimated (STAPLE), where it was given.
    """

    rater: str
    volume_ml: float
    sensitivity: Estimate
    specificity: Estimate
    estimated_sensitivity: float | None = None
    estimated_specificity: float | None = None


@dataclass(frozen=True)
class PairKappa:
    """Cohen's kappa of a pair over all labels at once."""

    first: str
    second: str
    kappa: Estimate


@dataclass(frozen=True)
class OverallAgreement:
    """Agreement over all labels at once, background being one more: Cohen's kappa, Fleiss' kappa, Krippendorff's alpha.

    ``region`` is where voxels were counted; empty where nobody marked anything.
    """

    region: Box
    pairs: tuple[PairKappa, ...]
    fleiss: Estimate
    alpha: Estimate


@dataclass(frozen=True)
class LabelAgreement:
    """Agreement on one label.

    Args:
        label: The label.
        region: Where voxels were counted for kappa, alpha and specificity: a box of the grid, (k, j, i).
        pairs: Every rater with every other.
        with_consensus: Every rater with the consensus; empty where there is none.
        raters: Every rater's volume, and performance against the consensus.
        fleiss: Fleiss' kappa over the voxels that all raters looked at.
        alpha: Krippendorff's alpha over the voxels that at least two raters looked at.
        sentences: What this means, in plain words; the most important first.
    """

    label: Label
    region: Box
    pairs: tuple[PairAgreement, ...]
    with_consensus: tuple[PairAgreement, ...]
    raters: tuple[RaterPerformance, ...]
    fleiss: Estimate
    alpha: Estimate
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseAgreement:
    """The agreement of the raters of one case.

    Args:
        case: What the case is called.
        raters: The raters, in the order in which they are shown.
        table: The labels.
        has_consensus: Whether there was a consensus to compare with.
        settings: How it was measured.
        labels: One entry a label, in the order of the table.
        overall: All labels at once.
        places: Where the raters disagree, the most uncertain first.
        sentences: What this means, in plain words.
    """

    case: str
    raters: tuple[str, ...]
    table: LabelTable
    has_consensus: bool
    settings: AgreementSettings
    labels: tuple[LabelAgreement, ...]
    overall: OverallAgreement
    places: tuple[Place, ...]
    sentences: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """Everything as JSON values; the field names are those of the classes."""
        plain = asdict(self)
        plain["table"] = self.table.to_plain()
        for entry in plain["labels"]:
            entry["label"] = entry["label"]["key"]
        return {"format": "medsegai-agreement", "format_version": 1, **plain}
