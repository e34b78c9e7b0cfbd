"""What was measured as a table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from MedSegAI.Logic.bench.comparison import RULE, Change, Comparison
from MedSegAI.Logic.bench.measure import Target, Unit
from MedSegAI.Logic.bench.record import BenchRecord, CaseRecord, ContestantRecord, MeasureRecord, spread
from MedSegAI.Logic.bench.sentences import figure, parity_words, target_words, times

_HEAD = ("Case", "Contestant", "Median", "Scatter", "On the wall", "Times the reference", "Answer", "Target")


def markdown(record: BenchRecord, *, compared: Comparison | None = None) -> str:
    """The whole run as a page: machine, conditions, one table a measure, and the comparison where there is one."""
    parts = ["# Benchmark", description(record), "## In short", summary(record)]
    if compared is not None:
        parts.append(comparison_section(compared))
    parts += [section(measure) for measure in record.measures]
    return "\n\n".join(parts) + "\n"


def summary(record: BenchRecord) -> str:
    """One row for each contestant of ours: how it did against the reference, or how long it took, and its target."""
    rows = []
    for measure, case in record.all_cases:
        shown = [one for one in case.contestants if one.ours and one.readings and one.name != case.reference]
        for one in shown or [one for one in case.contestants if one.ours and one.readings]:
            wanted = "; ".join(target_words(case, target) for target in case.targets if target.contestant == one.name)
            ratio = case.ratio(one.name)
            alone = one.name == case.reference or ratio is None
            told = figure(one.median(case.unit), case.unit) if alone else f"{times(ratio)} {case.reference}'s"
            rows.append((measure.title, case.name, one.name, told, wanted))
    return table(("What", "Case", "Who", "Speed (memory: saving)", "Target"), rows)


def description(record: BenchRecord) -> str:
    """Where and how it was measured, with all that a reader must know to judge the figures."""
    chosen = record.conditions
    threads = "1 thread" if chosen["threads"] == 1 else f"{chosen['threads']} threads"
    rounds = "1 round" if chosen["rounds"] == 1 else f"medians of {chosen['rounds']} rounds (fewer where one is long)"
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    lines = [
        f"Measured on {record.machine.words()}. Networks on {chosen['device']}; {threads}; {rounds}, contestants in "
        f"turn, after a round that does not count. {record.started}, {record.seconds / 60:.0f} minutes.",
        f"Versions: {versions}.",
    ]
    if record.machine.instructions:
        lines.append(f"The processor's instructions for arithmetic: {record.machine.instructions}.")
    if not record.complete:
        lines.append("**Incomplete: the run was stopped before its end.**")
    if chosen["quick"]:
        lines.append("**Quick: tiny sizes, for the answers only. These are no speeds.**")
    busy = max((case.other_cores or 0.0 for _, case in record.all_cases), default=0.0)
    if busy > 0.25:
        lines.append(f"**Other programs kept up to {busy:.1f} cores busy meanwhile.**")
    return "\n\n".join([*lines, *record.remarks])


def comparison_section(compared: Comparison) -> str:
    """Now against then, with the rule by which it is judged."""
    rows = [
        (
            change.where,
            _told(change, change.then),
            _told(change, change.now),
            "-" if change.factor is None else f"{change.factor:.2f}",
            "-" if change.threshold is None else f"{change.threshold:.0%}",
            change.verdict.value,
        )
        for change in compared.changes
    ]
    head = ("What", "Then", "Now", "Speed now / then", "Threshold", "Verdict")
    return "\n\n".join(["## Against the earlier run", *compared.remarks, table(head, rows), RULE])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def section(measure: MeasureRecord) -> str:
    """One measure: what is compared, and every contestant of every case."""
    rows = [row for case in measure.cases for row in _rows(case)]
    return "\n\n".join([f"## {measure.title} (`--only {measure.name}`)", measure.compares, table(_HEAD, rows)])


def _rows(case: CaseRecord) -> list[tuple[str, ...]]:
    name = case.name if case.complete else f"{case.name} (incomplete)"
    if case.problem:
        return [(name, "-", f"not measured: {case.problem}", *[""] * 5)]
    return [
        (name if number == 0 else "", *_row(case, one, [t for t in case.targets if t.contestant == one.name]))
        for number, one in enumerate(case.contestants)
    ]


def _row(case: CaseRecord, one: ContestantRecord, targets: list[Target]) -> tuple[str, ...]:
    wanted = "; ".join(target_words(case, target) for target in targets)
    if one.absent or one.failed:
        return (one.name, one.absent or one.failed, "", "", "", parity_words(one), wanted)
    scatter = spread(one.figures(case.unit))
    in_wall = case.unit in (Unit.CPU_SECONDS, Unit.GPU_SECONDS)
    return (
        one.name,
        f"{figure(one.median(case.unit), case.unit)}{' CPU' if case.unit is Unit.CPU_SECONDS else ''}",
        "-" if scatter is None else f"{scatter:.1%}",
        _on_the_wall(one) if in_wall else "",
        "reference" if one.name == case.reference else times(case.ratio(one.name)),
        parity_words(one),
        wanted,
    )


def _on_the_wall(one: ContestantRecord) -> str:
    """Seconds, and the GPU's memory at its height where it was measured."""
    memory = one.median(Unit.PEAK_MEMORY)
    seconds = figure(one.median(Unit.WALL_SECONDS), Unit.WALL_SECONDS)
    return seconds if memory is None else f"{seconds}, {figure(memory, Unit.PEAK_MEMORY)}"


def _told(change: Change, value: float | None) -> str:
    return times(value) if change.unit is None else figure(value, change.unit)
