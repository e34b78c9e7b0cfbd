"""A run of the benchmark: every measure's cases one after the other, kept on disk as they are found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from MedSegAI.Logic.bench.clock import Clock, GpuClock, OwnReadingClock, ProcessorClock
from MedSegAI.Logic.bench.comparison import Comparison, compare
from MedSegAI.Logic.bench.contestants import engines_kept_apart
from MedSegAI.Logic.bench.machine import OtherPrograms, look_at_other_programs, this_machine, versions
from MedSegAI.Logic.bench.measure import Case, Conditions, Measure, Unit
from MedSegAI.Logic.bench.record import BenchRecord, CaseRecord, MeasureRecord
from MedSegAI.Logic.bench.record_file import RECORD_NAME, write_record
from MedSegAI.Logic.bench.results import open_results, write_results
from MedSegAI.Logic.bench.rounds import Rounds
from MedSegAI.Logic.bench.sentences import case_sentence
from MedSegAI.Logic.bench.threads import pinned_threads
from MedSegAI.Logic.errors import Cancelled, MedSegAIError
from MedSegAI.Logic.inference.device import choose_device
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled

NEVER_ON_A_GPU = (
    "Measuring on a GPU has never been tried by those who wrote it: look at the figures twice, and tell us what is odd."
)


def run_bench(
    measures: Sequence[Measure],
    conditions: Conditions,
    *,
    folder: Path,
    reporter: Reporter,
    earlier: BenchRecord | None = None,
) -> BenchRecord:
    """Measure, and write ``bench.json``, ``bench.md`` and ``bench.png`` into ``folder``.

    ``bench.json`` is written anew after every case, so that whatever ends the run, what was measured is kept, and
    says of itself that it is not complete.

    Args:
        measures: What to measure, in order.
        conditions: Sizes, device, threads and rounds.
        folder: Must not exist, or be empty; its parent must exist.
        reporter: Told each case's outcome; asked between the actions whether to stop.
        earlier: A run to compare with.

    Raises:
        StorageError: if the folder is used or cannot be written.
        DeviceError: if a GPU was asked for and cannot be used.
        Cancelled: if the user asked to stop; what was measured is kept, and no file where that is nothing.
    """
    gpu = choose_device(conditions.device, reporter=reporter).description if conditions.on_gpu else ""
    bench = _Bench(conditions, open_results(folder), reporter, gpu=gpu)
    try:
        with engines_kept_apart():
            for measure in measures:
                bench.measure(measure)
    except (Cancelled, KeyboardInterrupt) as stop:
        advice = ""
        if bench.has_measured:
            bench.close(complete=False, earlier=earlier)
            advice = f"What was measured is kept in '{folder}', marked as incomplete."
        else:
            # So that the same folder can be given again.
            (folder / RECORD_NAME).unlink(missing_ok=True)
        raise Cancelled("Cancelled.", advice=advice) from stop
    return bench.close(complete=True, earlier=earlier)


class _Bench:
    def __init__(self, conditions: Conditions, folder: Path, reporter: Reporter, *, gpu: str) -> None:
        self._conditions, self._folder, self._reporter = conditions, folder, reporter
        self._began = time.monotonic()
        remarks = [sentence for sentence in (look_at_other_programs(),) if sentence]
        remarks += [NEVER_ON_A_GPU] if conditions.on_gpu else []
        for sentence in remarks:
            reporter.message(sentence)
        self._record = BenchRecord(
            machine=this_machine(gpu=gpu),
            versions=versions(),
            conditions={
                "quick": conditions.quick,
                "device": conditions.device.value,
                "threads": conditions.threads,
                "rounds": conditions.rounds,
            },
            started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            seconds=0.0,
            complete=False,
            remarks=tuple(remarks),
        )
        write_record(self._record, folder)

    @property
    def has_measured(self) -> bool:
        """Whether there is anything to keep."""
        return bool(self._record.all_cases)

    def measure(self, measure: Measure) -> None:
        """All cases of one measure."""
        for case in measure.cases(self._conditions):
            raise_if_cancelled(self._reporter)
            self._measure_case(measure, case)

    def close(self, *, complete: bool, earlier: BenchRecord | None) -> BenchRecord:
        """Write all files for the last time."""
        self._record = replace(self._record, complete=complete, seconds=self._seconds())
        compared: Comparison | None = None if earlier is None else compare(self._record, earlier)
        write_results(self._record, self._folder, compared=compared)
        return self._record

    def _measure_case(self, measure: Measure, case: Case) -> None:
        conditions, others = self._conditions, OtherPrograms()
        unit = _unit(measure, conditions)
        record = CaseRecord(
            case.name, unit, targets=case.targets, threads=_threads(measure, conditions), complete=False
        )
        rounds: Rounds | None = None
        try:
            with ExitStack() as stack:
                stack.enter_context(pinned_threads(record.threads))
                contest = stack.enter_context(measure.prepare(case, conditions))
                record = replace(record, reference=contest.reference)
                rounds = Rounds(contest, clock=_clock(unit), warm_up=unit is not Unit.PEAK_MEMORY)
                count = min(conditions.rounds, case.most_rounds or conditions.rounds)
                rounds.run(count, stage=f"{measure.name}: {case.name}", reporter=self._reporter)
            record = replace(record, complete=True)
        except Cancelled:
            raise
        except MedSegAIError as error:
            record = replace(record, complete=True, problem=str(error))
        finally:
            if rounds is not None:
                record = replace(record, contestants=rounds.contestants())
            self._keep(measure, replace(record, other_cores=others.cores()))

    def _keep(self, measure: Measure, case: CaseRecord) -> None:
        if not (case.complete or any(one.readings for one in case.contestants)):
            return
        before = [one for one in self._record.measures if one.name != measure.name]
        same = next((one for one in self._record.measures if one.name == measure.name), None)
        cases = (*(same.cases if same else ()), case)
        kept = (*before, MeasureRecord(measure.name, measure.title, measure.compares, cases))
        self._record = replace(self._record, measures=kept, seconds=self._seconds())
        write_record(self._record, self._folder)
        if case.complete:
            self._reporter.message(f"{measure.title}, {case_sentence(case)}")

    def _seconds(self) -> float:
        return round(time.monotonic() - self._began, 1)


def _unit(measure: Measure, conditions: Conditions) -> Unit:
    on_gpu = conditions.on_gpu and measure.uses_network and measure.unit is Unit.CPU_SECONDS
    return Unit.GPU_SECONDS if on_gpu else measure.unit


def _clock(unit: Unit) -> Clock:
    if unit is Unit.GPU_SECONDS:
        import torch

        return GpuClock(torch.cuda)
    return OwnReadingClock() if unit is Unit.PEAK_MEMORY else ProcessorClock()


def _threads(measure: Measure, conditions: Conditions) -> int:
    """Whoever waits has all threads that torch takes by itself."""
    if measure.unit is not Unit.WALL_SECONDS:
        return conditions.threads
    import torch

    return torch.get_num_threads()
