"""Scans prepared and aligned again as the record of an earlier run says, so that a network sees what it saw."""

from __future__ import annotations

import json
from dataclasses import replace

from MedSegAI.Logic.align.alignment import ALIGN_STEP, Alignment
from MedSegAI.Logic.align.move import AS_IT_LIES_STEP, as_it_lies, moved
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.provenance import InputRecord, Provenance
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.standardise.catalogue import step_from_plain, step_kinds
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Volume


def as_before(case: InputScans, made: Provenance, *, reporter: Reporter) -> InputScans:
    """The scans with everything done to them again that the record says and that they do not carry yet.

    Args:
        case: The scans as they were read, by the names of the model's inputs.
        made: The record of the run; one of an older version holds no inputs, and nothing is done.
        reporter: Told of the steps; asked whether to stop.

    Raises:
        InputError: if a step of the record cannot be done again, or a scan went through other steps than the record's.
        Cancelled: if the user asked to stop.
    """
    records = {record.input: record for record in made.inputs}
    done: dict[str, Volume] = {}
    # The reference comes first: the others are put into its space as it is now.
    for name in sorted(case.by_name, key=lambda name: case.by_name[name] is not case.on):
        reference = done.get(case.reference or next(iter(case.by_name)), case.on)
        done[name] = _again(case.by_name[name], records.get(name), reference, reporter)
    return replace(case, by_name={name: done[name] for name in case.by_name})


def _again(scan: Volume, record: InputRecord | None, reference: Volume, reporter: Reporter) -> Volume:
    if record is None:
        return scan
    # What reading did to it stands in both.
    carried = len(scan.steps)
    if [_essence(step) for step in scan.steps] != [_essence(step) for step in record.steps[:carried]]:
        raise InputError(
            f"'{scan.name}' was prepared in another way than the scan that was segmented.",
            advice="Give the scan as it was segmented, or segment it again.",
        )
    for step in record.steps[carried:]:
        reporter.message(f"Again as in the earlier run: {step.sentence}")
        scan = _one_step(scan, step, reference, reporter)
    return scan


def _essence(step: StepRecord) -> str:
    """What was done, whatever it was told of and whether it went through JSON since."""
    return json.dumps([step.step, dict(step.settings)], sort_keys=True)


def _one_step(scan: Volume, step: StepRecord, reference: Volume, reporter: Reporter) -> Volume:
    if step.step == ALIGN_STEP:
        return moved(scan, Alignment.of_record(step), reference=reference)
    if step.step == AS_IT_LIES_STEP:
        return as_it_lies(scan, reference=reference)
    if step.step not in step_kinds():
        raise InputError(
            f"'{scan.name}' went through '{step.step}' before it was segmented, which cannot be done again here.",
            advice="Give the scan as it was segmented, or segment it again.",
        )
    return step_from_plain(step.step, step.settings).apply(scan, reporter=reporter).volume
