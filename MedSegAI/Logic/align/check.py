"""Whether scans lie in one space, so that their voxels may be looked at side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from MedSegAI.Logic.align.alignment import ALIGN_STEP
from MedSegAI.Logic.align.judge import LEAST_OVERLAP
from MedSegAI.Logic.align.move import AS_IT_LIES_STEP
from MedSegAI.Logic.align.overlap import shared_extent
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import PATIENT_KEY, Volume


class Fit(str, Enum):
    """Whether two scans may go into one model together."""

    FIT = "fit"
    NEEDS_REGISTRATION = "needs registration"
    REFUSED = "refused"


@dataclass(frozen=True)
class SpaceCheck:
    """How a scan lies to the reference.

    Args:
        fit: What follows from it.
        scan: Name of the scan.
        reference: Name of the reference.
        overlap: Fraction 0..1 of the smaller one's extent that lies inside the other.
        sentence: Why, for a person to read.
        advice: What to do about it; empty where it fits.
    """

    fit: Fit
    scan: str
    reference: str
    overlap: float
    sentence: str
    advice: str = ""


def check_space(scan: Volume, reference: Volume) -> SpaceCheck:
    """Look at what two scans say of themselves; their voxels are not touched.

    They fit where they share a grid, DICOM's frame of reference, or a record that says that the one was aligned to the
    other or taken to lie where it does; and overlap. Scans of different patients never fit. Where nothing is known,
    they need registration: nothing is taken to lie right in silence. Scans that are said to share a space and of which
    less than 0.3 of the smaller one overlaps are refused.
    """
    overlap = shared_extent(scan.grid, reference.grid)
    names = (scan.name, reference.name, overlap)
    if _are_of_different_patients(scan, reference):
        return SpaceCheck(Fit.REFUSED, *names, *_different_patients(scan, reference))
    together, why = _said_to_be_together(scan, reference)
    if not together:
        return SpaceCheck(Fit.NEEDS_REGISTRATION, *names, why, "Align it first, or say that it lies right as it is.")
    if overlap < LEAST_OVERLAP:
        return SpaceCheck(
            Fit.REFUSED,
            *names,
            f"Only {overlap:.0%} of '{scan.name}' and '{reference.name}' overlap, though {why[:1].lower()}{why[1:]}",
            "Choose scans of the same part of the body.",
        )
    return SpaceCheck(Fit.FIT, *names, why)


def check_spaces(scans: Sequence[Volume], reference: Volume) -> tuple[SpaceCheck, ...]:
    """How each scan lies to the reference, where it may be another scan that ties the two together.

    A FLAIR that was aligned to the T1 fits a T2 that shares the T1's grid, though neither says so of the other. A scan
    of another patient than any of the scans is refused, also where the reference does not say whose it is.

    Args:
        scans: Scans that go into one model, the reference among them or not.
        reference: The scan on whose grid the result lies.

    Returns:
        One check for each scan, in their order.
    """
    found = [check_space(scan, reference) for scan in scans]
    for index, scan in enumerate(scans):
        strange = next((other for other in (reference, *scans) if _are_of_different_patients(scan, other)), None)
        if strange is not None:
            found[index] = check_space(scan, strange)
    together = [scan for scan, check in zip(scans, found) if check.fit is Fit.FIT]
    tied = True
    while tied:
        tied = False
        for index, scan in enumerate(scans):
            if found[index].fit is not Fit.NEEDS_REGISTRATION:
                continue
            by = next((check for other in together if (check := check_space(scan, other)).fit is Fit.FIT), None)
            if by is not None and found[index].overlap >= LEAST_OVERLAP:
                found[index] = replace(found[index], fit=Fit.FIT, sentence=by.sentence, advice="")
                together.append(scan)
                tied = True
    return tuple(found)


def refuse_other_patient(scan: Volume, reference: Volume) -> None:
    """Refuse two scans that say of themselves that they are of different patients.

    Raises:
        InputError: naming both.
    """
    if _are_of_different_patients(scan, reference):
        problem, advice = _different_patients(scan, reference)
        raise InputError(problem, advice=advice)


def _are_of_different_patients(scan: Volume, other: Volume) -> bool:
    mine, theirs = (str(volume.acquisition.get(PATIENT_KEY) or "") for volume in (scan, other))
    return bool(mine and theirs) and mine != theirs


def _different_patients(scan: Volume, other: Volume) -> tuple[str, str]:
    return f"'{scan.name}' and '{other.name}' are of different patients.", "Choose scans of one patient."


def _said_to_be_together(scan: Volume, reference: Volume) -> tuple[bool, str]:
    named = f"'{scan.name}' and '{reference.name}'"
    if scan.grid.same_frame(reference.grid):
        return True, f"{named} share one grid."
    record = _record_of_alignment(scan, reference)
    if record is not None:
        return True, record
    mine, theirs = scan.frame_of_reference, reference.frame_of_reference
    if mine and theirs:
        related = "share one frame" if mine == theirs else "have different frames"
        return mine == theirs, f"{named} {related} of reference."
    return False, f"Nothing says that {named} lie in one space."


def _record_of_alignment(scan: Volume, reference: Volume) -> str | None:
    """What a record says about the two lying together, whichever of them was moved, or both to a third."""
    for one, other in ((scan, reference), (reference, scan)):
        for record in _records_of_its_place(one):
            if record.settings["reference"] == other.name:
                return record.sentence
    shared = _anchors(scan) & _anchors(reference)
    if shared:
        return f"'{scan.name}' and '{reference.name}' were both brought to '{min(shared)}'."
    return None


def _anchors(scan: Volume) -> set[str]:
    return {str(record.settings["reference"]) for record in _records_of_its_place(scan)}


def _records_of_its_place(scan: Volume) -> list[StepRecord]:
    """What was said of where the scan lies now, the latest first: nothing from before it was last moved."""
    found = []
    for record in reversed(scan.steps):
        if record.step in (ALIGN_STEP, AS_IT_LIES_STEP):
            found.append(record)
        if record.step == ALIGN_STEP:
            break
    return found
