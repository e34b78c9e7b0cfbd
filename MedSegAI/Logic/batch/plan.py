"""Which cases are to be done, and which were done before and still count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from MedSegAI.Logic.batch.batch_settings import difference
from MedSegAI.Logic.batch.case import BatchCase
from MedSegAI.Logic.batch.case_record import CaseRecord, CaseStatus
from MedSegAI.Logic.batch.case_results import read_record
from MedSegAI.Logic.batch.input_state import is_unchanged
from MedSegAI.Logic.batch.ledger import Ledger
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled


class Failures(str, Enum):
    """What becomes of a case that failed in an earlier run and is as it was."""

    KEEP = "keep"
    RETRY = "retry"


class _Why(Enum):
    NEW = "new"
    CHANGED = "the scan changed"
    SETTINGS = "other settings"
    MISSING = "its files are missing"
    RETRIED = "failed before"


@dataclass(frozen=True)
class BatchPlan:
    """What a run has to do.

    Args:
        to_do: Cases to be done, in the order in which they were named.
        kept: Records that still count, by case.
        sentences: What was decided and why, for the person who waits.
    """

    to_do: tuple[BatchCase, ...]
    kept: dict[str, CaseRecord]
    sentences: tuple[str, ...]


def plan_batch(
    cases: Sequence[BatchCase],
    ledger: Ledger,
    *,
    batch: Path,
    digest: str,
    failures: Failures,
    reporter: Reporter,
) -> BatchPlan:
    """Compare the cases with what the ledger, and the cases' folders, say of them.

    A case whose results are whole, but whose line never reached the ledger because the batch was killed just then, is
    taken into the ledger and not done again.

    Args:
        cases: All cases of the batch.
        ledger: The batch's ledger; what was missing in it is added.
        batch: The batch's folder.
        digest: Digest of the settings of this run; the ledger knows what it stands for.
        failures: What becomes of cases that failed before.
        reporter: Told how many cases were compared; asked whether to stop.

    Raises:
        StorageError: if the ledger cannot be written to.
        Cancelled: if the reporter asked to stop.
    """
    kept: dict[str, CaseRecord] = {}
    why: dict[str, _Why] = {}
    for number, case in enumerate(cases):
        raise_if_cancelled(reporter)
        reporter.progress(number, len(cases), "comparing with the ledger")
        record = ledger.records.get(case.id)
        found = _why_again(case, record, batch=batch, digest=digest)
        if found is not None:
            there = read_record(batch, case.id)
            if there is not None and _why_again(case, there, batch=batch, digest=digest) is None:
                ledger.add(there)
                record, found = there, None
        if found is None and record.status is CaseStatus.FAILED and failures is Failures.RETRY:
            found = _Why.RETRIED
        if found is None:
            kept[case.id] = record
        else:
            why[case.id] = found
    to_do = tuple(case for case in cases if case.id in why)
    return BatchPlan(to_do, kept, _sentences(why, kept, ledger, digest))


def _why_again(case: BatchCase, record: CaseRecord | None, *, batch: Path, digest: str) -> _Why | None:
    if record is None:
        return _Why.NEW
    if record.state is None:
        return _Why.RETRIED
    if not _same_input(case, record):
        return _Why.CHANGED
    if record.settings != digest:
        return _Why.SETTINGS
    if not all((batch / path).is_file() for path in record.files.values()):
        return _Why.MISSING
    return None


def _same_input(case: BatchCase, record: CaseRecord) -> bool:
    try:
        return is_unchanged(case, record.state)
    except InputError:
        return False


def _sentences(why: dict[str, _Why], kept: dict[str, CaseRecord], ledger: Ledger, digest: str) -> tuple[str, ...]:
    told = []
    failed = sum(record.status is CaseStatus.FAILED for record in kept.values())
    if len(kept) > failed:
        told.append(f"Done before, not done again: {_cases(len(kept) - failed)}.")
    if failed:
        told.append(f"Failed before, not tried again: {_cases(failed)} (--retry-failed tries them).")
    counts = Counter(why.values())
    if counts[_Why.CHANGED]:
        told.append(f"Done again because the scan changed: {_cases(counts[_Why.CHANGED])}.")
    if counts[_Why.MISSING]:
        told.append(f"Done again because files of the result are missing: {_cases(counts[_Why.MISSING])}.")
    if counts[_Why.RETRIED]:
        told.append(f"Failed before, tried again: {_cases(counts[_Why.RETRIED])}.")
    earlier = Counter(ledger.records[case].settings for case, found in why.items() if found is _Why.SETTINGS)
    for old, count in earlier.items():
        changed = difference(ledger.settings.get(old), ledger.settings[digest])
        told.append(f"Done again with other settings: {_cases(count)} ({changed}).")
    return tuple(told)


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"
