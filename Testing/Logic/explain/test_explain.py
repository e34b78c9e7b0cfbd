"""A heat map lies on the scan's own grid, is made as the segmentation was made, and refuses what it cannot explain."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import MedSegAI.Logic.models.card as card_module
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.explain.explain import explain
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.resample import canonical_grid
from MedSegAI.Logic.volume import Modality, Volume

TEMPLATE = Path(card_module.__file__).parents[2] / "Resources" / "Training" / "hippocampus-mr.card.json"
SIZE = 32
QUIET = SilentReporter()


class SmallNetwork(torch.nn.Module):
    """Two convolutions with a pooled layer between them that a heat map can be asked of."""

    def __init__(self) -> None:
        super().__init__()
        self.coarse = torch.nn.Sequential(torch.nn.Conv3d(1, 6, 3, 2, 1), torch.nn.LeakyReLU(0.01))
        self.out = torch.nn.ConvTranspose3d(6, 3, 2, 2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.out(self.coarse(image))


@pytest.fixture
def an_engine() -> EagerEngine:
    torch.manual_seed(0)
    network = SmallNetwork()
    with torch.no_grad():
        # Every channel speaks for every label, so that the map depends on all of them.
        network.out.weight.abs_()
    return EagerEngine(network)


@pytest.fixture
def a_model() -> Model:
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    return Model(Path("nowhere"), dataclasses.replace(card, window=(SIZE, SIZE, SIZE), saliency_layer="coarse"))


@pytest.fixture
def a_scan() -> Volume:
    array = np.random.default_rng(0).normal(size=(SIZE, SIZE, SIZE)).astype(np.float32)
    ras = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
    return Volume(array, Grid(array.shape, direction=ras), Modality.MR, name="head")


def segmented(scan: Volume, model: Model, *, mirrored: bool = False) -> SegmentationResult:
    """A segmentation of a block as label 1, as if the whole scan had been shown to the network."""
    labels = np.zeros(scan.grid.shape, np.uint8)
    labels[8:16, 8:16, 4:12] = 1
    pairs = tuple((label.value, label.value) for label in model.card.labels)
    region = LocalisedRegion("whole", canonical_grid(scan.grid, spacing_mm=model.card.spacing_mm), mirrored, pairs)
    record = Provenance(
        model=model.card.name,
        model_version=model.card.version,
        model_sha256=model.card.weights_sha256,
        engine="torch eager",
        device="cpu",
        input_name=scan.name,
        grid_shape=scan.grid.shape,
        grid_spacing_mm=scan.grid.spacing,
        regions=(region,),
        settings={},
        seconds=1.0,
        created="2026-11-24T06:00:00+00:00",
    )
    return SegmentationResult(Volume(labels, scan.grid), model.card.labels, None, record, None)


def heat_of(
    scan: Volume,
    segmentation: SegmentationResult,
    model: Model,
    engine: EagerEngine,
    *,
    target: str | int = "1",
    layer: str | None = None,
    reporter: SilentReporter = QUIET,
) -> Volume:
    settings = RunSettings()
    return explain(
        scan, segmentation, model, target=target, layer=layer, settings=settings, reporter=reporter, engine=engine
    )


def test_a_heat_map_lies_on_the_scans_grid_from_0_to_1(a_scan: Volume, a_model: Model, an_engine: EagerEngine):
    heat = heat_of(a_scan, segmented(a_scan, a_model), a_model, an_engine)
    assert heat.grid == a_scan.grid
    assert heat.array.dtype == np.float32
    assert (heat.array.min(), heat.array.max()) == (0.0, 1.0)


def test_a_mirrored_region_is_explained_as_the_network_saw_it(a_scan: Volume, a_model: Model, an_engine: EagerEngine):
    segmentation = segmented(a_scan, a_model)
    heat = heat_of(a_scan, segmentation, a_model, an_engine)
    flipped_scan = a_scan.with_array(np.ascontiguousarray(a_scan.array[:, :, ::-1]))
    flipped = dataclasses.replace(
        segmented(a_scan, a_model, mirrored=True),
        labels=segmentation.labels.with_array(np.ascontiguousarray(segmentation.labels.array[:, :, ::-1])),
    )
    flipped_heat = heat_of(flipped_scan, flipped, a_model, an_engine)
    np.testing.assert_allclose(flipped_heat.array[:, :, ::-1], heat.array, atol=1e-6)


def test_another_layer_gives_another_map(a_scan: Volume, a_model: Model, an_engine: EagerEngine):
    segmentation = segmented(a_scan, a_model)
    first = heat_of(a_scan, segmentation, a_model, an_engine, layer="coarse")
    second = heat_of(a_scan, segmentation, a_model, an_engine, layer="coarse.0")
    assert np.abs(first.array - second.array).max() > 0.01


def test_a_layer_that_says_nothing_gives_an_empty_map_and_a_word(a_scan: Volume, a_model: Model):
    engine = EagerEngine(SmallNetwork())
    with torch.no_grad():
        engine.network.out.weight.zero_()
    reporter = SilentReporter()
    heat = heat_of(a_scan, segmented(a_scan, a_model), a_model, engine, target=1, reporter=reporter)
    assert not np.any(heat.array)
    assert any("its heat map is empty" in message for message in reporter.messages)


def test_a_label_the_model_does_not_have_is_refused(a_scan: Volume, a_model: Model, an_engine: EagerEngine):
    with pytest.raises(LabelError, match="no label 'liver'"):
        heat_of(a_scan, segmented(a_scan, a_model), a_model, an_engine, target="liver")


def test_a_label_that_was_not_found_is_refused(a_scan: Volume, a_model: Model, an_engine: EagerEngine):
    with pytest.raises(LabelError, match="'Posterior hippocampus' was not found in 'head'"):
        heat_of(a_scan, segmented(a_scan, a_model), a_model, an_engine, target=2)


def test_a_segmentation_of_unknown_making_is_refused(a_scan: Volume, a_model: Model, an_engine: EagerEngine):
    nameless = dataclasses.replace(segmented(a_scan, a_model), provenance=None)
    with pytest.raises(InputError, match="does not say which model made it"):
        heat_of(a_scan, nameless, a_model, an_engine)


def test_a_segmentation_of_another_model_is_refused(a_scan: Volume, a_model: Model, an_engine: EagerEngine):
    segmentation = segmented(a_scan, a_model)
    other = dataclasses.replace(segmentation.provenance, model_sha256="f" * 64)
    with pytest.raises(InputError, match="other weights"):
        heat_of(a_scan, dataclasses.replace(segmentation, provenance=other), a_model, an_engine)


def test_a_segmentation_of_another_scan_is_refused(a_scan: Volume, a_model: Model, an_engine: EagerEngine):
    segmentation = segmented(a_scan, a_model)
    other = dataclasses.replace(segmentation.provenance, grid_shape=(9, 9, 9))
    with pytest.raises(InputError, match="scan of \\(9, 9, 9\\) voxels"):
        heat_of(a_scan, dataclasses.replace(segmentation, provenance=other), a_model, an_engine)


def test_a_region_too_large_to_be_prepared_at_once_gets_the_same_heat(
    a_scan: Volume, a_model: Model, an_engine: EagerEngine, monkeypatch: pytest.MonkeyPatch
):
    segmentation = segmented(a_scan, a_model)
    at_once = heat_of(a_scan, segmentation, a_model, an_engine)
    monkeypatch.setattr("MedSegAI.Logic.inference.prepare_region.is_prepared_ahead", lambda *_grids, **_about: True)
    ahead = heat_of(a_scan, segmentation, a_model, an_engine)
    np.testing.assert_allclose(ahead.array, at_once.array, atol=1e-6)
