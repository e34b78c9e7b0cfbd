"""What the figures of an agreement report mean, as sentences that stand in the report itself."""

from __future__ import annotations

from MedSegAI.Logic.agreement.bootstrap import FEWEST_UNITS
from MedSegAI.Logic.agreement.results import CaseAgreement


def method_notes(agreement: CaseAgreement) -> tuple[str, ...]:
    """Definitions and settings behind the figures of a case, one paragraph each."""
    settings = agreement.settings
    notes = [
        "Every pair is compared over the voxels that both looked at. Dice is 1 where neither has the structure and 0 "
        "where only one has it. HD95 is the larger of the two directed 95th percentiles of the distance between the "
        "centres of surface voxels (voxels with a face neighbour outside); 0 where neither has the structure, and "
        "undefined (-) where only one has it. Differences are the first volume less the second, in per cent of the "
        "mean of both.",
        f"Surface Dice is the share of both surfaces' area that lies within {settings.tolerance_mm:g} mm of the other "
        "surface (Nikolov 2018); the surface lies between voxels and is weighted by its area in mm2.",
        "Kappa (Cohen 1960, Fleiss 1971) and alpha (Krippendorff 2011, nominal) correct agreement for chance. They are "
        "undefined (-) where everybody says one and the same thing. Fleiss' kappa counts voxels that all raters looked "
        "at, alpha those that at least two did. Both depend on how much background is counted: here it is the box "
        f"around all votes for the structure and {settings.margin_mm:g} mm more on each side. Compare them only with "
        "figures of the same margin. Specificity depends on it, too.",
        _interval_note(agreement),
    ]
    if agreement.has_consensus:
        notes.append(
            "Each rater took part in the consensus, unless it was made elsewhere, so agreement with it is somewhat "
            "better than agreement with an independent one would be."
        )
    notes.append(
        "A place of disagreement is a group of voxels joined by faces on which not all who looked say the same, cut in "
        "halves where it is long. The places with the most uncertainty (bits times volume) come first."
    )
    return tuple(notes)


def _interval_note(agreement: CaseAgreement) -> str:
    drawn = agreement.settings.resampling
    if not drawn.replicates:
        return "No intervals were drawn."
    size = "an eighth of the longest side of the region" if drawn.block_mm is None else f"{drawn.block_mm:g} mm"
    return (
        f"Intervals hold {100 * drawn.level:g}% of {drawn.replicates} bootstrap replicates (seed {drawn.seed}). "
        f"Neighbouring voxels are not independent, so whole blocks of the scan with edges of {size} were drawn, not "
        "voxels. Such an interval says how much the figure depends on which parts of this scan one looks at; it says "
        f"nothing of other patients or raters. It is left out with fewer than {FEWEST_UNITS} blocks."
    )
