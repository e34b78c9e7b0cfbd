"""A scan too large for the usual way: it stays in its file, and so do its labels, while it is segmented."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.Logic.errors import InputError

if TYPE_CHECKING:
    from MedSegAI.CommandLine.progress import ConsoleReporter
    from MedSegAI.Logic.files.plane_source import PlaneSource
    from MedSegAI.Logic.inference.scans import InputScans
    from MedSegAI.Logic.models.card import ModelCard

_GIANT_BYTES = 512 << 20
_SHARE_OF_FREE_MEMORY = 0.5
# In the usual way the scan and its labels are in this process and, as it hands them over, in the worker's files.
_COPIES = 2
_FLOAT32 = 4


@contextmanager
def giant_case(
    options: argparse.Namespace, card: ModelCard, paths: dict[str, Path], reporter: ConsoleReporter
) -> Iterator[InputScans | None]:
    """The scan of a run, left in its file, where that pays and is possible; None where it is better read.

    It is possible for one scan, of which nothing but the segmentation is wanted, and where the model looks at all of
    it or at the region that the user names. The file is open until the block ends.
    """
    source = _opened(options, card, paths, reporter)
    if source is None:
        yield None
        return
    from MedSegAI.Logic.files.planes.planes_array import on_disk
    from MedSegAI.Logic.inference.scans import InputScans
    from MedSegAI.Logic.large.spool import decoded_where_needed
    from MedSegAI.Logic.standardise.target_grids import canonical_grid

    folder = options.output.expanduser().resolve().parent
    try:
        with decoded_where_needed(source, canonical_grid(source.grid), folder, reporter=reporter) as planes:
            yield InputScans({next(iter(paths)): on_disk(planes)}).for_card(card)
    finally:
        source.close()


def _opened(
    options: argparse.Namespace, card: ModelCard, paths: dict[str, Path], reporter: ConsoleReporter
) -> PlaneSource | None:
    wants_more = (options.confidence, options.heatmap, options.measures, options.scene)
    if len(paths) != 1 or options.prepare or any(wants_more) or card.needs_point or options.points:
        return None
    from MedSegAI.Logic.files.planes.open_planes import open_planes
    from MedSegAI.Logic.files.planes.volume_planes import VolumePlanes

    (path,) = paths.values()
    if not _may_be_giant(path):
        return None
    series = options.series[-1].rpartition("=")[2] if options.series else None
    try:
        source = open_planes(path, series=series, reporter=reporter)
    except InputError:
        # Whoever reads it as a whole says what is wrong, or mends it.
        return None
    if isinstance(source, VolumePlanes) or not _is_giant(source, card) or _is_looked_for(options, source, card):
        source.close()
        return None
    return source


def _may_be_giant(path: Path) -> bool:
    """Whether it is worth a look: a compressed scan is smaller than its voxels, yet hardly a hundred times."""
    try:
        size = sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size
    except OSError:
        return False
    return path.suffix in (".mhd", ".nhdr") or size * 100 > _GIANT_BYTES


def _is_giant(source: PlaneSource, card: ModelCard) -> bool:
    from MedSegAI.Logic.inference.free_memory import free_memory
    from MedSegAI.Logic.standardise.target_grids import canonical_grid

    scan = source.grid.voxel_count * source.dtype.itemsize
    prepared = canonical_grid(source.grid, spacing_mm=card.spacing_mm).voxel_count * len(card.inputs) * _FLOAT32
    usual = _COPIES * (scan + source.grid.voxel_count)
    return scan + prepared > _GIANT_BYTES or usual > _SHARE_OF_FREE_MEMORY * free_memory()


def _is_looked_for(options: argparse.Namespace, source: PlaneSource, card: ModelCard) -> bool:
    """Whether the model finds its structure by registering the whole scan."""
    from MedSegAI.Logic.inference.regions import fits

    return options.roi is None and card.localiser is not None and not fits(source.grid, card.localiser)
