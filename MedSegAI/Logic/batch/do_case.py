"""One case from its files to its results, in whatever process and on whatever computer this is called.

What goes wrong with a case becomes its record, so that it cannot stop the others.
"""

from __future__ import annotations

import functools
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from MedSegAI.Logic.batch.batch_settings import BatchSettings
from MedSegAI.Logic.batch.case import BatchCase
from MedSegAI.Logic.batch.case_record import CaseRecord, CaseStatus
from MedSegAI.Logic.batch.case_results import volumes_of, write_record, write_results
from MedSegAI.Logic.batch.case_room import case_folder, case_room
from MedSegAI.Logic.batch.input_state import state_of
from MedSegAI.Logic.batch.run_mark import MarkReporter
from MedSegAI.Logic.errors import Cancelled, MedSegAIError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.reporter import raise_if_cancelled
from MedSegAI.Logic.standardise.step import apply_steps
from MedSegAI.Logic.worker.background_task import AskToStop
from MedSegAI.Logic.worker.warm_models import WarmModels


@dataclass(frozen=True)
class CaseOrder:
    """What a worker needs to know to do one case.

    Args:
        case: The case.
        settings: What to make of it.
        digest: Digest of the settings.
        batch: The batch's folder, as the worker sees it.
        mark: The mark of the batch's run; the case is stopped where it is gone.
    """

    case: BatchCase
    settings: BatchSettings
    digest: str
    batch: Path
    mark: Path

    def record(self, status: CaseStatus, sentence: str = "") -> CaseRecord:
        """A record of this case that says no more than how it ended."""
        return CaseRecord(
            self.case.id, status, str(self.case.source), self.digest, series=self.case.series, sentence=sentence
        )


def do_case(order: CaseOrder, *, stopped: AskToStop | None = None) -> CaseRecord:
    """Do one case; its files are all there at the end, or none of them.

    Args:
        order: The case and what to make of it.
        stopped: Asked between windows whether to stop, beside the run's mark.

    Returns:
        The record: done, failed with a sentence, or stopped. Nothing is raised for what is wrong with the case.
    """
    with _one_at_a_time():
        started = time.perf_counter()
        reporter = MarkReporter(order.mark, stopped=stopped)
        record = order.record(CaseStatus.FAILED)
        try:
            raise_if_cancelled(reporter)
            record = replace(record, state=state_of(order.case))
            return _done(order, record, reporter, started)
        except Cancelled:
            return replace(record, status=CaseStatus.STOPPED)
        except MedSegAIError as error:
            sentence = str(error)
        except MemoryError:
            sentence = "The memory of the computer does not suffice for it. Try it with fewer workers."
        except Exception as error:
            sentence = f"It failed in a way that was not foreseen ({type(error).__name__}: {error})."
        if case_folder(order.batch, order.case.id).exists():
            sentence += " Its folder still holds the result of an earlier run."
        return replace(record, sentence=sentence, notes=tuple(reporter.messages), seconds=_since(started), ended=_now())


def _done(order: CaseOrder, record: CaseRecord, reporter: MarkReporter, started: float) -> CaseRecord:
    case, settings, models = order.case, order.settings, _models()
    model = find_model(settings.model)
    scan = read_volume(case.source, series=case.series)
    if settings.prepare:
        steps = tuple(entry.step() for entry in settings.prepare)
        scan = apply_steps(scan, steps, reporter=reporter).volume
    result = models.segment(scan, model, settings=settings.run, reporter=reporter)
    asked = {"case": case, "settings": settings, "scan": scan, "model": model}
    with case_room(order.batch, case.id) as room:
        written = write_results(room, result, **asked, models=models, reporter=reporter)
        record = replace(
            record,
            status=CaseStatus.DONE,
            volumes=volumes_of(result),
            sentence=" ".join(written.missing),
            notes=(*(step.sentence for step in scan.steps), *reporter.messages),
            files=written.files_of(case.id),
            seconds=_since(started),
            ended=_now(),
        )
        write_record(room, record, result, scan)
    return record


@functools.cache
def _models() -> WarmModels:
    """The one warm model of this process."""
    return WarmModels()


@functools.cache
def _one_at_a_time() -> threading.Lock:
    """A worker with several threads still has one warm model, and memory for one case."""
    return threading.Lock()


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
