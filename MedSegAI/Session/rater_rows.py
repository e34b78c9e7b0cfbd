"""The raters of a case as every face lists them."""

from __future__ import annotations

from dataclasses import dataclass

import slicer

from MedSegAI.Bridge.rater_nodes import rater_colour, rater_node
from MedSegAI.Logic.agreement.results import CaseAgreement
from MedSegAI.Logic.corrections.journal import Journal


@dataclass(frozen=True)
class RaterRow:
    """One rater's word on a case.

    Args:
        rater: Name.
        role: What the person is; may be empty.
        time: When it was said, ISO 8601 in UTC; empty where everything was withdrawn.
        status: "draft", "final" or "withdrawn".
        comment: Free text.
        entries: How many entries of the journal are the rater's.
        colour: Red, green, blue (0..1) of the rater's outlines.
        visible: Whether they are shown.
        dice: Mean over the labels of the Dice with the consensus; None before the raters were fused.
        sensitivity: Mean over the labels, against the consensus; None as above.
        specificity: Mean over the labels, against the consensus; None as above.
    """

    rater: str
    role: str
    time: str
    status: str
    comment: str
    entries: int
    colour: tuple[float, float, float]
    visible: bool
    dice: float | None = None
    sensitivity: float | None = None
    specificity: float | None = None


def rater_rows(journal: Journal, scene: slicer.vtkMRMLScene, agreement: CaseAgreement | None) -> tuple[RaterRow, ...]:
    """One row a rater, in the order of their first entries."""
    return tuple(_row(journal, scene, agreement, rater, number) for number, rater in enumerate(journal.raters))


def _row(
    journal: Journal, scene: slicer.vtkMRMLScene, agreement: CaseAgreement | None, rater: str, number: int
) -> RaterRow:
    standing = journal.standing(rater)
    own = [entry for entry in journal.entries if entry.rater == rater]
    told = standing or own[-1]
    node = rater_node(scene, rater)
    return RaterRow(
        rater,
        told.role,
        "" if standing is None else standing.time,
        "withdrawn" if standing is None else standing.status.value,
        told.comment,
        len(own),
        rater_colour(number),
        node is not None and bool(node.GetDisplayVisibility()),
        *(_against_consensus(agreement, rater) if agreement is not None else ()),
    )


def _against_consensus(agreement: CaseAgreement, rater: str) -> tuple[float | None, float | None, float | None]:
    pairs = [pair for label in agreement.labels for pair in label.with_consensus if pair.first == rater]
    found = [one for label in agreement.labels for one in label.raters if one.rater == rater]
    return (
        _mean([pair.dice.value for pair in pairs]),
        _mean([one.sensitivity.value for one in found]),
        _mean([one.specificity.value for one in found]),
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
