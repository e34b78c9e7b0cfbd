"""From a segmentation to the heat map on the scan's grid that shows what drove one of its labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.explain.heat_on_scan import heat_onto_scan
from MedSegAI.Logic.explain.whole_volume import HeatPlane, heat_planes
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.open import open_torch_engine
from MedSegAI.Logic.inference.input_check import check_together
from MedSegAI.Logic.inference.prepare_region import windows_of_region
from MedSegAI.Logic.inference.region_parts import region_box
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.scans import InputScans, Scans, scans_for
from MedSegAI.Logic.labels import Label
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.reporter import PartReporter, Reporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.resample import resample_labels
from MedSegAI.Logic.volume import Modality, Unit, Volume


def explain(
    scans: Scans,
    segmentation: SegmentationResult | Segmentation,
    model: Model,
    *,
    target: str | int,
    layer: str | None,
    settings: RunSettings,
    reporter: Reporter,
    engine: EagerEngine | None = None,
) -> Volume:
    """The Grad-CAM++ map of one label of a segmentation.

    The regions are those the segmentation's provenance records, so a segmentation read back from its file, corrected
    or not, is explained as it was made.

    Args:
        scans: The scan (k, j, i) that was segmented, LPS mm, or the several by name.
        segmentation: Its segmentation, with provenance.
        model: The model that made it; read from disk only where ``engine`` is None.
        target: Key, name or value of the label to explain.
        layer: Name of the layer to explain; None takes the card's.
        settings: Device and overlap.
        reporter: Told done/total; asked between windows whether to stop.
        engine: A warm engine of this model.

    Returns:
        Heat map (k, j, i) float32 on the scan's grid, 0 to 1, 1 at the strongest place; see ``HEAT_LEGEND``.

    Raises:
        LabelError: if there is no such label, or it was not found in the scan.
        InputError: if the segmentation does not say how it was made, or was made by another model or of other scans.
        ModelError: if there is no such layer.
        Cancelled: if the user asked to stop.
    """
    label = segmentation.table.find(target)
    case = scans_for(scans, model.card)
    check_together(case)
    volume = case.on
    record = _record_of(segmentation.provenance, case, model)
    if not np.any(segmentation.labels.array == label.value):
        raise LabelError(
            f"There is nothing to explain: '{label.name}' was not found in '{volume.name}'.",
            advice="Choose a label that the segmentation holds.",
        )
    engine = engine or open_torch_engine(model, device=settings.device, reporter=reporter)
    heat = np.zeros(volume.grid.shape, dtype=np.float32)
    regions = [region for region in record.regions if region.network_value(label.value) is not None]
    for region in regions:
        mask = _mask_in(region, segmentation.labels, label)
        if not np.any(mask):
            continue
        planes = heat_planes(
            windows_of_region(case, region, model.card, reporter=reporter),
            mask,
            engine.network,
            label=region.network_value(label.value),
            layer=layer or model.card.saliency_layer,
            window=model.card.window,
            overlap=settings.overlap_or(model.card.overlap),
            reporter=PartReporter(reporter, f"explaining {label.name.lower()}"),
        )
        _bring_together(heat, planes, region, volume.grid, alone=len(regions) == 1)
    strongest = float(heat.max())
    if strongest > 0:
        heat /= strongest
    else:
        reporter.message(f"Nothing in this layer speaks for '{label.name}': its heat map is empty.")
    name, frame = f"{label.name}: what drove it", volume.frame_of_reference
    return Volume(heat, volume.grid, Modality.UNKNOWN, Unit.ARBITRARY, name, frame)


def _bring_together(
    heat: np.ndarray, planes: Iterator[HeatPlane], region: LocalisedRegion, grid: Grid, *, alone: bool
) -> None:
    """The larger of the heat that is there and a region's, scaled to 1 at its strongest place in model space.

    Where a region is ``alone``, its raw heat is written as it comes and scaled by whoever scales the whole.
    """
    if alone:
        heat_onto_scan(planes, region, grid, onto=heat)
        return
    box = region_box(region.grid, grid)
    local = np.zeros(box.shape, dtype=np.float32)
    strongest = heat_onto_scan(planes, region, grid, onto=local, at=box.start)
    if strongest > 0:
        local /= strongest
        np.maximum(heat[box.slices], local, out=heat[box.slices])


def _mask_in(region: LocalisedRegion, labels: Volume, label: Label) -> np.ndarray:
    """The label's voxels (k, j, i) bool in a region of model space, as the network sees it."""
    one = labels.with_array((labels.array == label.value).view(np.uint8))
    return region.orient(resample_labels(one, region.grid).array.view(bool))


def _record_of(record: Provenance | None, case: InputScans, model: Model) -> Provenance:
    volume = case.on
    if record is None:
        raise InputError(
            "The segmentation does not say which model made it, so it cannot be explained.",
            advice="Segment the scan again and explain that result.",
        )
    if record.model_sha256 != model.card.weights_sha256:
        raise InputError(
            f"The segmentation was made by '{record.model}' version {record.model_version} with other weights than "
            f"'{model.card.name}' version {model.card.version}.",
            advice="Choose the model that made it, or segment the scan again.",
        )
    if record.grid_shape != volume.grid.shape:
        raise InputError(
            f"The segmentation was made of a scan of {record.grid_shape} voxels (k, j, i); '{volume.name}' has "
            f"{volume.grid.shape}.",
            advice="Choose the scan that was segmented.",
        )
    _refuse_other_inputs(record, case)
    return record


def _refuse_other_inputs(record: Provenance, case: InputScans) -> None:
    """The network is shown what it was shown before: not one scan more, and not one less."""
    was_given = {entry.input for entry in record.inputs if entry.scan is not None}
    if record.inputs and was_given != set(case.by_name):
        made_of, given = (", ".join(sorted(names)) for names in (was_given, case.by_name))
        raise InputError(
            f"The segmentation was made of {made_of}; {given} were given.",
            advice="Give the scans that were segmented.",
        )
