"""A scan too large for memory: read, prepared, resampled and written in slabs of planes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.files.planes.file_planes import FilePlanes
from MedSegAI.Logic.files.planes.write_planes import Compression, PlaneWriter, planes_written_to
from MedSegAI.Logic.large.block_reader import BlockReader
from MedSegAI.Logic.large.planned import SLAB_BUDGET_BYTES, SlabPlan, bytes_held_by, plan_slabs
from MedSegAI.Logic.large.spool import decoded_once
from MedSegAI.Logic.large.task import Content, LargeTask, PreparedTask
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.standardise.rounding import require_fits
from MedSegAI.Logic.volume import Volume

_STAGE = "resampling"


@dataclass(frozen=True, eq=False)
class LargeResult:
    """What was written.

    Args:
        described: Two voxels that say all of the result but its voxels: dtype, place, unit, and what was done.
        plan: How it went through memory.
    """

    described: Volume
    plan: SlabPlan


def resample_planes(
    source: PlaneSource,
    task: LargeTask,
    path: str | os.PathLike[str],
    *,
    reporter: Reporter,
    compression: Compression = Compression.GZIP,
    budget_bytes: int = SLAB_BUDGET_BYTES,
) -> LargeResult:
    """Bring a scan to another grid without holding it in memory.

    The voxels are those that ``resample`` gives with the scan's own integer dtype (float32 for a scan of floating-point
    numbers), or ``resample_labels`` for labels.

    Args:
        source: The scan, opened by ``open_planes``.
        task: What becomes of it.
        path: .nrrd, .nii, .nii.gz or .mha; its folder must exist.
        reporter: Told the memory that it will take, then done/total in planes of the result; asked after every few
            planes whether to stop.
        compression: For NRRD.
        budget_bytes: Memory for one slab, beside the program itself.

    Raises:
        InputError: for a file that is cut short or damaged, a scan whose voxels are all alike, a step that needs to see
            the whole scan or refuses it, or a background that the scan's dtype cannot hold.
        StorageError: if the result cannot be written.
        Cancelled: if the reporter asked to stop. Whatever ends it early leaves nothing behind.
    """
    prepared = PreparedTask(task, source)
    plan = plan_slabs(
        source.grid,
        task.grid,
        prepared.index_map,
        prepared.work,
        budget_bytes=budget_bytes,
        held_bytes=bytes_held_by(source),
    )
    if task.background is not None:
        require_fits(task.background, prepared.work.written)
    folder = Path(path).expanduser().resolve().parent
    with ExitStack() as stack:
        writer = stack.enter_context(
            planes_written_to(path, prepared.described, task.grid.shape, compression=compression)
        )
        reporter.message(plan.sentence)
        if isinstance(source, FilePlanes) and source.is_compressed and plan.turns_back > 1:
            source = stack.enter_context(decoded_once(source, folder, reporter=reporter))
        reader = BlockReader(source, prepared.steps, reporter)
        background = _background(prepared, reader)
        _write_behind(writer, _slab_voxels(prepared, plan, reader, background, reporter))
        if task.content is Content.VALUES and reader.low == reader.high:
            raise InputError(
                f"'{source.name}' holds no picture: every voxel that was read has the value {reader.low:g}.",
                advice="Check the export, or choose another scan.",
            )
    return LargeResult(prepared.described, plan)


def _background(prepared: PreparedTask, reader: BlockReader) -> float:
    if prepared.task.background is not None:
        return prepared.task.background
    if prepared.task.content is Content.LABELS or not prepared.reaches_beyond:
        return 0.0
    return reader.smallest()


def _slab_voxels(
    prepared: PreparedTask, plan: SlabPlan, reader: BlockReader, background: float, reporter: Reporter
) -> Iterator[np.ndarray]:
    total = prepared.task.grid.shape[0]
    reporter.progress(0, total, _STAGE)
    for slab in plan.slabs:
        block = reader.read(slab.source)
        yield prepared.voxels(block, slab, background)
        reporter.progress(slab.target.stop[0], total, _STAGE)


def _write_behind(writer: PlaneWriter, slabs: Iterator[np.ndarray]) -> None:
    """Write each slab while the next one is made."""
    with ThreadPoolExecutor(1) as pool:
        before: Future | None = None
        for voxels in slabs:
            if before is not None:
                before.result()
            before = pool.submit(writer.write, voxels)
        if before is not None:
            before.result()
