"""A batch from its list of cases to its table: resumed where it was stopped or killed, no case done twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from MedSegAI.Logic.batch.batch_settings import BatchSettings, digest_of
from MedSegAI.Logic.batch.case import BatchCase
from MedSegAI.Logic.batch.case_record import CaseRecord, CaseStatus
from MedSegAI.Logic.batch.case_room import remove_unfinished
from MedSegAI.Logic.batch.do_case import CaseOrder
from MedSegAI.Logic.batch.folder_lock import only_batch_in
from MedSegAI.Logic.batch.ledger import Ledger
from MedSegAI.Logic.batch.plan import BatchPlan, Failures, plan_batch
from MedSegAI.Logic.batch.run_mark import run_mark
from MedSegAI.Logic.batch.table import BatchTable
from MedSegAI.Logic.batch.told_progress import ToldProgress
from MedSegAI.Logic.batch.workers import Workers
from MedSegAI.Logic.errors import Cancelled, ModelError, WorkerError
from MedSegAI.Logic.files.atomic import make_folder
from MedSegAI.Logic.models.registry import Model, find_model, verify
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled

SECONDS_TO_STOP = 10.0
"""How long a stopped batch waits for the cases that are being worked on."""
_SECONDS_BETWEEN_LOOKS = 0.2

OpenWorkers = Callable[[], AbstractContextManager[Workers]]
"""Opens the workers, once it is known that there is something to do; see ``Logic/batch/open_workers.py``."""


@dataclass(frozen=True)
class BatchRun:
    """What a run gives: the table, the files it was written to, and how many cases this run did itself."""

    table: BatchTable
    files: dict[str, Path]
    done_now: int


def run_batch(
    cases: Sequence[BatchCase],
    folder: Path,
    *,
    settings: BatchSettings,
    open_workers: OpenWorkers,
    failures: Failures = Failures.KEEP,
    reporter: Reporter,
) -> BatchRun:
    """Do every case that was not done before with these settings and this scan; one bad case stops no other.

    Args:
        cases: The cases; their ids differ.
        folder: Where ledger, results and tables go; made where it is missing. Nobody else may run a batch in it.
        settings: What to make of each case.
        open_workers: Who does it.
        failures: What becomes of cases that failed in an earlier run.
        reporter: Told done/total, failures and the time left; asked whether to stop.

    Raises:
        StorageError: if the folder cannot be used, or another batch uses it.
        ModelError: if there is no such model, its weights were changed, or it takes several scans at once.
        DependencyError, WorkerError: if there are no workers, or they were lost; what is done stays.
        Cancelled: if the user asked to stop; what is done stays, and the table says so.
    """
    model = find_model(settings.model)
    _refuse_several_inputs(model)
    verify(model)
    decides = settings.what_decides(model)
    folder = make_folder(folder).resolve()
    with only_batch_in(folder):
        remove_unfinished(folder)
        ledger = Ledger(folder)
        digest = digest_of(decides)
        ledger.add_settings(digest, decides)
        choice = {"digest": digest, "failures": failures, "reporter": reporter}
        plan = plan_batch(cases, ledger, batch=folder, **choice)
        for sentence in plan.sentences:
            reporter.message(sentence)
        work = _Work(folder, settings, digest, plan, ledger, ToldProgress(reporter, total=len(plan.to_do)))
        try:
            if plan.to_do:
                with run_mark(folder) as mark, open_workers() as workers:
                    work.go_through(mark, workers, reporter)
        except (Cancelled, KeyboardInterrupt) as stop:
            raise Cancelled(advice=_what_stays(work, len(cases))) from stop
        finally:
            remove_unfinished(folder)
            table = BatchTable(tuple(cases), work.records)
            files = table.write(folder)
        return BatchRun(table, files, work.done_now)


def _refuse_several_inputs(model: Model) -> None:
    if len(model.card.inputs) > 1:
        raise ModelError(
            f"'{model.card.name}' takes {len(model.card.inputs)} scans at once, and a batch has one a case.",
            advice="Choose a model with a single input, or segment case by case.",
        )


class _Work:
    """What is being worked on, and what came of it."""

    def __init__(
        self,
        folder: Path,
        settings: BatchSettings,
        digest: str,
        plan: BatchPlan,
        ledger: Ledger,
        told: ToldProgress,
    ) -> None:
        self.records: dict[str, CaseRecord] = dict(plan.kept)
        self.done_now = 0
        self._folder, self._settings, self._digest = folder, settings, digest
        self._waiting = list(reversed(plan.to_do))
        self._ledger = ledger
        self._told = told

    def go_through(self, mark: Path, workers: Workers, reporter: Reporter) -> None:
        try:
            while self._waiting or workers.under_way():
                raise_if_cancelled(reporter)
                while self._waiting and workers.under_way() < workers.wanted():
                    self._submit(mark, workers)
                self._take(workers.finished(timeout=_SECONDS_BETWEEN_LOOKS))
        except (Cancelled, KeyboardInterrupt):
            mark.unlink(missing_ok=True)
            self._wait_for_the_last(workers)
            raise

    def _submit(self, mark: Path, workers: Workers) -> None:
        case = self._waiting.pop()
        workers.submit(CaseOrder(case, self._settings, self._digest, self._folder, mark))

    def _take(self, records: Sequence[CaseRecord]) -> None:
        for record in records:
            if record.status is CaseStatus.STOPPED:
                continue
            self._ledger.add(record)
            self.records[record.case] = record
            self.done_now += record.status is CaseStatus.DONE
            self._told.ended(record)

    def _wait_for_the_last(self, workers: Workers) -> None:
        """A case that was just being written when the batch was stopped still counts."""
        last = time.monotonic() + SECONDS_TO_STOP
        try:
            while workers.under_way() and time.monotonic() < last:
                self._take(workers.finished(timeout=_SECONDS_BETWEEN_LOOKS))
        except WorkerError:
            return


def _what_stays(work: _Work, total: int) -> str:
    done = sum(record.status is CaseStatus.DONE for record in work.records.values())
    return f"{done} of {total} cases are done and stay; run the same command again to go on."
