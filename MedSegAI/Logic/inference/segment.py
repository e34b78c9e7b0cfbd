"""From a scan to its segmentation: the one path that every face and the worker take."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.inference.engines.engine import Engine, OpenEngine
from MedSegAI.Logic.inference.engines.open import open_engine
from MedSegAI.Logic.inference.gpu_batch import batch_that_fits
from MedSegAI.Logic.inference.growing_result import GrowingResult
from MedSegAI.Logic.inference.input_check import check_input
from MedSegAI.Logic.inference.label_confidence import WinningProbabilities
from MedSegAI.Logic.inference.plan import plan_memory
from MedSegAI.Logic.inference.pointed_regions import tell_of_points
from MedSegAI.Logic.inference.region_parts import region_box
from MedSegAI.Logic.inference.region_run import RegionRun
from MedSegAI.Logic.inference.regions import ChosenRegions, choose_regions
from MedSegAI.Logic.inference.result import SegmentationResult, ShowPart
from MedSegAI.Logic.inference.scans import InputScans, Scans, scans_for
from MedSegAI.Logic.inference.windows import window_starts
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.provenance import InputRecord, Provenance
from MedSegAI.Logic.reporter import PartReporter, Reporter
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings
from MedSegAI.Logic.volume import Modality, Unit, Volume

WatchRegion = Callable[[LocalisedRegion], Callable[[int, np.ndarray], None]]
"""Asked once a region; what it returns is shown each finished plane, as ``segment_array`` says of its ``watch``."""


def segment(
    scans: Scans,
    model: Model,
    *,
    settings: RunSettings,
    reporter: Reporter,
    engine: Engine | None = None,
    open_with: OpenEngine | None = None,
    watch: WatchRegion | None = None,
    show: ShowPart | None = None,
    room: Path | None = None,
) -> SegmentationResult:
    """Segment a scan, or several of one patient, with a model.

    The scans are checked against the model's card and each other, the regions to look at are chosen (the user's, the
    localiser's or the whole volume), each is resampled to the model's space, normalised and segmented window by
    window, and the labels are brought back to the scan's grid.

    Args:
        scans: The scan (k, j, i), any real dtype, LPS mm, in the unit that the card names; or several by name, each on
            a grid of its own in one space, and the result lies on the grid of the one named as reference.
        model: The model; its weights are read only where ``engine`` is None.
        settings: The user's choices.
        reporter: Told the memory plan, fallbacks and done/total; asked between windows whether to stop.
        engine: A warm engine of this model.
        open_with: Opens the engine for so many windows, where ``engine`` is None; None opens what the settings ask for.
        watch: Shown the mean logits of each region, plane by plane; see :data:`WatchRegion`.
        show: Shown each part of the result, a box of the scan's grid and its labels, as soon as it is known: slabs
            along that axis of the scan which lies nearest to the patient's head-foot axis. Parts of one region do not
            overlap; where a later region overlaps an earlier one it may fill what was background. Where the card's
            rule for components, or for points, changes labels in the end, the parts are a preview, and a last call
            shows the final labels of all that was shown or found before.
        room: Folder with room for the labels, one byte a voxel: they then lie in a file there that nobody sees and that
            goes with the result, and take no memory. None holds them in memory.

    Raises:
        InputError: if a scan does not fit the model, one that it needs is missing, or they do not lie in one space.
        RegionError: if the region does not fit the scan, the localiser does not find the structure, or nothing was
            found at any of the points that the user pointed at.
        ModelError: if the model is damaged.
        DeviceError: if the device cannot be used or its memory does not suffice.
        StorageError: if ``room`` has no room.
        Cancelled: if the user asked to stop.
    """
    started = time.perf_counter()
    card = model.card
    case = scans_for(scans, card)
    check_input(case, card, reporter=reporter)
    chosen = choose_regions(case, card, settings=settings, reporter=reporter)
    counts = [
        len(window_starts(r.grid.shape, card.window, overlap=settings.overlap_or(card.overlap))) for r in chosen.regions
    ]
    if engine is None:
        opener = open_with or functools.partial(open_engine, model, settings=settings, reporter=reporter)
        engine = opener(windows=sum(counts))
    settings = replace(settings, batch=settings.batch_or(batch_that_fits(card, engine, windows=max(counts))))
    grids = [volume.grid for volume in case.by_name.values()]
    plan = plan_memory(
        chosen.regions,
        card,
        settings=settings,
        engine=engine,
        scans=grids,
        labels=case.grid.voxel_count if room is None else 0,
        on_disk=case.any_on_disk,
    )
    for sentence in plan.refuse_or_tell():
        reporter.message(sentence)
    growing = GrowingResult.on(case.grid, settings=settings, show=show, room=room)
    gathered = WinningProbabilities()
    for index, region in enumerate(chosen.regions):
        part = PartReporter(reporter, f"segmenting {region.name}", before=sum(counts[:index]), total=sum(counts))
        seen = None if watch is None else watch(region)
        run = RegionRun(case, region, card, engine=engine, settings=settings, growing=growing)
        gathered.add_renamed(run.segment(reporter=part, watch=seen), region.labels)
    labels, confidence = growing.labels, growing.confidence
    if card.needs_point:
        found = Volume(labels, case.grid)
        tell_of_points(found, chosen.regions, case, card, points=settings.points, reporter=reporter)
        for region in chosen.regions:
            growing.show_again(region_box(region.grid, case.grid))
    provenance = _provenance(case, model, engine, chosen, settings, time.perf_counter() - started)
    # What was done to the scan stands in the provenance; it was not done to the labels.
    found = replace(case.on, array=labels, modality=Modality.UNKNOWN, unit=Unit.ARBITRARY, steps=(), acquisition={})
    return SegmentationResult(
        found,
        chosen.table,
        None if confidence is None else found.with_array(confidence, unit=Unit.PROBABILITY),
        provenance,
        Box.around(labels),
        None if settings.confidence is ConfidenceChoice.NONE else gathered.means(chosen.table),
    )


def input_records(case: InputScans, card: ModelCard) -> tuple[InputRecord, ...]:
    """What each of the card's inputs is given by a case, with all that was done to it before."""
    given = [(wanted.name, case.by_name.get(wanted.name)) for wanted in card.inputs]
    return tuple(
        InputRecord(name, None) if volume is None else InputRecord(name, volume.name, volume.steps)
        for name, volume in given
    )


def _provenance(
    case: InputScans,
    model: Model,
    engine: Engine,
    chosen: ChosenRegions,
    settings: RunSettings,
    seconds: float,
) -> Provenance:
    return Provenance(
        model=model.card.name,
        model_version=model.card.version,
        model_sha256=model.card.weights_sha256,
        engine=engine.name,
        device=engine.device_name,
        input_name=case.on.name,
        grid_shape=case.grid.shape,
        grid_spacing_mm=case.grid.spacing,
        regions=chosen.regions,
        settings=settings.to_plain(),
        seconds=round(seconds, 3),
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        fallbacks=tuple(engine.fallbacks),
        inputs=input_records(case, model.card),
    )
