"""What ``segment``, ``explain`` and ``demo`` share: who computes, early refusals, how a result is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.errors import keep_log
from MedSegAI.Logic.errors import LabelError, WorkerError

if TYPE_CHECKING:
    from MedSegAI.Logic.inference.result import SegmentationResult
    from MedSegAI.Logic.models.card import ModelCard
    from MedSegAI.Logic.report.measured_nodules import MeasuredNodule
    from MedSegAI.Logic.report.volumes import SegmentVolume
    from MedSegAI.Logic.worker.runner import Runner


@contextmanager
def open_runner(*, in_process: bool) -> Iterator[Runner]:
    """Who computes: a worker process, or this one. The worker is gone when the block ends, however it ends.

    Raises:
        WorkerError: whatever the worker failed with; its log, which goes with it, is kept and named.
    """
    from MedSegAI.Logic.worker.runner import InlineRunner, SubprocessRunner

    if in_process:
        with InlineRunner() as runner:
            yield runner
        return
    with SubprocessRunner() as runner:
        try:
            yield runner
        except WorkerError as error:
            kept = keep_log(runner.log)
            raise WorkerError(error.problem, advice=f"{error.advice} The worker's log: {kept}.") from error


def refuse_unknown_target(target: str, card: ModelCard, *, points: int = 0) -> None:
    """Check the label to explain before the long work starts; a crop and a whole scan have their own labels.

    Args:
        target: Key, name or value of the label.
        card: The model's card.
        points: How many places were pointed at; each has labels of its own.

    Raises:
        LabelError: if there is no such label.
    """
    if card.needs_point:
        from MedSegAI.Logic.inference.pointed_regions import numbered_labels

        numbered_labels(card, max(1, points)).find(target)
        return
    if card.localiser is None:
        card.labels.find(target)
        return
    tables = {"in a crop": card.labels, "in a whole scan": card.localiser.labels}
    for table in tables.values():
        with suppress(LabelError):
            table.find(target)
            return
    known = "; ".join(
        f"{where}: {', '.join(f'{label.key} ({label.value})' for label in table)}" for where, table in tables.items()
    )
    raise LabelError(f"There is no label '{target}'.", advice=f"Choose one of those {known}.")


def volumes_looked_for(result: SegmentationResult) -> tuple[SegmentVolume, ...]:
    """The size of each structure that was looked for: a region on the left says nothing of the right side."""
    from MedSegAI.Logic.report.volumes import segment_volumes

    looked_for = {value for region in result.provenance.regions for _, value in region.labels}
    return tuple(entry for entry in segment_volumes(result.labels, result.table) if entry.value in looked_for)


def volume_lines(volumes: Sequence[SegmentVolume]) -> tuple[str, ...]:
    """The size of each structure, for a person."""
    return columns([(entry.name, f"{entry.volume_ml:.2f} mL" if entry.voxels else "not found") for entry in volumes])


def volume_facts(volumes: Sequence[SegmentVolume]) -> list[dict[str, Any]]:
    """The size of each structure, for machines."""
    return [
        {"value": entry.value, "key": entry.key, "name": entry.name, "volume_ml": round(entry.volume_ml, 4)}
        for entry in volumes
    ]


def nodule_lines(nodules: Sequence[MeasuredNodule], volumes: Sequence[SegmentVolume]) -> tuple[str, ...]:
    """What was measured of each structure that was pointed at, for a person; what was not found is named, too."""
    head = ("", "diameter", "long x short", "volume", "mean", "confidence", "")
    rows = [head, *(_nodule_row(one) for one in nodules)]
    missed = ((entry.name, "not found", *[""] * 5) for entry in volumes if not entry.voxels)
    return columns([*rows, *missed])


def _nodule_row(one: MeasuredNodule) -> tuple[str, ...]:
    measures = one.measures
    return (
        one.name,
        f"{measures.diameter_mm:.1f} mm",
        f"{measures.long_mm:.1f} x {measures.short_mm:.1f} mm",
        f"{measures.volume_mm3:.0f} mm3",
        f"{measures.mean:.0f} HU",
        "" if one.confidence is None else f"{one.confidence:.2f}",
        "may be cut off" if one.cut else "",
    )


def nodule_facts(nodules: Sequence[MeasuredNodule]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [one.to_plain() for one in nodules]


def made_by(result: SegmentationResult) -> dict[str, str]:
    """The header field that carries the provenance in a volume written beside the segmentation."""
    from MedSegAI.Logic.files.slicer_segments import PROVENANCE_FIELD

    return {PROVENANCE_FIELD: result.provenance.to_json()}


def run_line(result: SegmentationResult) -> str:
    """One sentence on how the segmentation came about."""
    made = result.provenance
    return f"Segmented with {made.model} {made.model_version} ({made.engine} on {made.device}) in {made.seconds:.1f} s."
