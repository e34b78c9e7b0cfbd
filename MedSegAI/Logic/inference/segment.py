"""From a scan to its segmentation: the one path that every face and the worker take."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone

import numpy as np

from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.decision import decision_of
from MedSegAI.Logic.inference.engines.engine import Engine, OpenEngine
from MedSegAI.Logic.inference.engines.open import open_engine
from MedSegAI.Logic.inference.growing_result import GrowingResult
from MedSegAI.Logic.inference.input_check import check_input
from MedSegAI.Logic.inference.islands import without_islands
from MedSegAI.Logic.inference.label_confidence import WinningProbabilities, winning_probabilities
from MedSegAI.Logic.inference.plan import plan_memory
from MedSegAI.Logic.inference.pointed_regions import AIR_HU, tell_of_points
from MedSegAI.Logic.inference.region_parts import Planes, RegionParts, region_box
from MedSegAI.Logic.inference.regions import ChosenRegions, choose_regions
from MedSegAI.Logic.inference.result import SegmentationResult, ShowPart
from MedSegAI.Logic.inference.scans import InputScans, Scans, scans_for
from MedSegAI.Logic.inference.sliding_window import StreamedLabels, segment_array
from MedSegAI.Logic.inference.under_point import under_point
from MedSegAI.Logic.inference.windows import window_starts
from MedSegAI.Logic.localise.points import middle_of
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import UNDER_POINT, ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.provenance import InputRecord, Provenance
from MedSegAI.Logic.reporter import PartReporter, Reporter
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.standardise.resample import resample
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

    Raises:
        InputError: if a scan does not fit the model, one that it needs is missing, or they do not lie in one space.
        RegionError: if the region does not fit the scan, the localiser does not find the structure, or nothing was
            found at any of the points that the user pointed at.
        ModelError: if the model is damaged.
        DeviceError: if the device cannot be used or its memory does not suffice.
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
    grids = [volume.grid for volume in case.by_name.values()]
    plan = plan_memory(chosen.regions, card, settings=settings, engine=engine, scans=grids)
    for sentence in plan.refuse_or_tell():
        reporter.message(sentence)
    labels = np.zeros(case.grid.shape, dtype=np.uint8)
    wants_confidence = settings.confidence is ConfidenceChoice.PER_VOXEL
    confidence = np.zeros(case.grid.shape, dtype=np.float16) if wants_confidence else None
    growing = GrowingResult(labels, confidence, show)
    gathered = WinningProbabilities()
    for index, region in enumerate(chosen.regions):
        part = PartReporter(reporter, f"segmenting {region.name}", before=sum(counts[:index]), total=sum(counts))
        seen = None if watch is None else watch(region)
        streamed = _segment_region(case, region, card, engine, settings, part, seen, growing)
        if settings.confidence is not ConfidenceChoice.NONE:
            gathered.add_renamed(_probabilities(streamed), region.labels)
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


def _segment_region(
    case: InputScans,
    region: LocalisedRegion,
    card: ModelCard,
    engine: Engine,
    settings: RunSettings,
    reporter: Reporter,
    watch: Callable[[int, np.ndarray], None] | None,
    growing: GrowingResult,
) -> StreamedLabels:
    """What the network says of a region, in model space; brought to the scan's grid as planes are finished."""
    keep = _KEEPING.get(card.components)
    confidence = settings.confidence
    if keep is not None and confidence is ConfidenceChoice.PER_LABEL:
        # Which voxels are kept is known at the end only, so the region's own map is kept until then.
        confidence = ConfidenceChoice.PER_VOXEL
    labels = np.zeros(region.grid.shape, dtype=np.uint8)
    sure = np.zeros(region.grid.shape, dtype=np.float16) if confidence is ConfidenceChoice.PER_VOXEL else None
    parts = RegionParts(region, case.grid)

    def finished(k: int) -> None:
        part = parts.up_to(k)
        if part is None:
            return
        if keep is None:
            growing.add(parts, part, _planes(labels), _planes(sure))
        else:
            growing.preview(parts, part, _planes(labels))

    streamed = segment_array(
        prepare_region(case, region, card),
        engine,
        window=card.window,
        overlap=settings.overlap_or(card.overlap),
        classes=card.class_count,
        reporter=reporter,
        confidence=confidence,
        batch=settings.batch,
        skip_below=card.skip_below,
        labels_out=labels,
        confidence_out=sure,
        decision=decision_of(card),
        watch=watch,
        finished=finished,
    )
    if keep is None:
        return streamed
    streamed = replace(streamed, labels=keep(labels, region.grid))
    whole = RegionParts(region, case.grid)
    part = whole.up_to(region.grid.shape[0])
    if part is not None:
        growing.add(whole, part, _planes(streamed.labels), _planes(sure))
    return streamed


def _planes(array: np.ndarray | None) -> Planes | None:
    return None if array is None else lambda start, stop: array[start:stop]


def _only_under_point(labels: np.ndarray, grid: Grid) -> np.ndarray:
    return under_point(labels, middle_of(grid), spacing_kji=grid.spacing_kji)


# By what a card says of components; which of them are kept in a region of this grid.
_KEEPING: dict[str, Callable[[np.ndarray, Grid], np.ndarray]] = {
    "without-islands": lambda labels, _grid: without_islands(labels),
    UNDER_POINT: _only_under_point,
}


def _probabilities(streamed: StreamedLabels) -> WinningProbabilities:
    if streamed.probabilities is not None:
        return streamed.probabilities
    return winning_probabilities(streamed.labels, streamed.confidence)


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
