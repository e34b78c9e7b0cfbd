"""The path from a scan to its segmentation, walked with an engine whose answer is known voxel by voxel."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import MedSegAI.Logic.models.card as card_module
from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.region_parts import region_box
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.card import Localiser, ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.volume import Modality, Unit, Volume

TEMPLATE = Path(card_module.__file__).parents[2] / "Resources" / "Training" / "hippocampus-mr.card.json"
BRIGHT = 100.0


class BrightnessEngine:
    """Calls voxels above half the brightness label 1, those above the brightness label 2."""

    name = "brightness"
    device_name = "cpu"
    logits_device = "cpu"
    fallbacks: tuple[str, ...] = ()

    def predict(self, windows: np.ndarray) -> np.ndarray:
        value = windows[:, 0]
        first = np.where(value > BRIGHT / 2, 10.0, -10.0)
        second = np.where(value > BRIGHT, 20.0, -20.0)
        return np.stack([np.zeros_like(value), first, second], axis=1).astype(np.float32)

    def step_down(self) -> str:
        raise AssertionError("nothing to give up")


@pytest.fixture
def a_model() -> Model:
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    as_it_is = dataclasses.replace(card.inputs[0], normalisation=Normalisation("none"))
    return Model(Path("nowhere"), dataclasses.replace(card, inputs=(as_it_is,), localiser=None, window=(16, 16, 16)))


def a_scan(grid: Grid, bright: Callable[[np.ndarray], np.ndarray]) -> Volume:
    """A scan whose voxels at LPS points where ``bright`` says so are bright, and brighter on the patient's left."""
    points = grid.lps_of(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1))
    value = np.where(points[..., 0] > 0, 1.2 * BRIGHT, 0.8 * BRIGHT)
    return Volume(np.where(bright(points), value, 0.0).astype(np.float32), grid, Modality.MR, name="phantom")


def a_ball(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points - [1.0, 2.0, 3.0], axis=-1) < 9


def centred(shape: tuple[int, int, int], spacing: tuple[float, float, float], direction: np.ndarray) -> Grid:
    grid = Grid(shape, spacing, direction=tuple(direction.ravel()))
    middle = grid.lps_of((np.array(shape) - 1) / 2)
    return dataclasses.replace(grid, origin=tuple(-middle))


ROTATED = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
PERMUTED = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


@pytest.mark.parametrize("direction", [np.eye(3), -np.eye(3), PERMUTED])
def test_labels_come_back_exactly_whichever_way_the_axes_run(a_model: Model, direction: np.ndarray):
    scan = a_scan(centred((30, 34, 38), (1.0, 1.0, 1.0), direction), a_ball)
    result = segment(scan, a_model, settings=RunSettings(), reporter=SilentReporter(), engine=BrightnessEngine())
    expected = np.select([scan.array > BRIGHT, scan.array > BRIGHT / 2], [2, 1], 0)
    np.testing.assert_array_equal(result.labels.array, expected)
    assert result.labels.grid == scan.grid
    assert result.changed == Box.around(expected)


def test_labels_lie_right_on_an_oblique_grid_of_another_spacing(a_model: Model):
    scan = a_scan(centred((24, 40, 50), (0.8, 0.9, 1.5), ROTATED), a_ball)
    result = segment(scan, a_model, settings=RunSettings(), reporter=SilentReporter(), engine=BrightnessEngine())
    found, truth = result.labels.array > 0, scan.array > 0
    dice = 2 * np.count_nonzero(found & truth) / (np.count_nonzero(found) + np.count_nonzero(truth))
    assert dice > 0.93
    centre = [scan.grid.lps_of(np.argwhere(mask)).mean(0) for mask in (found, truth)]
    np.testing.assert_allclose(*centre, atol=0.1)


def test_a_region_of_interest_is_all_that_is_looked_at(a_model: Model):
    scan = a_scan(centred((30, 34, 38), (1.0, 1.0, 1.0), np.eye(3)), a_ball)
    settings = RunSettings(region="0:38,0:34,0:15", confidence=ConfidenceChoice.PER_VOXEL)
    result = segment(scan, a_model, settings=settings, reporter=SilentReporter(), engine=BrightnessEngine())
    assert np.any(result.labels.array[:15])
    assert not np.any(result.labels.array[15:])
    assert not np.any(result.confidence.array[15:])
    assert np.all(result.confidence.array[:15] > 0.9)
    assert result.confidence.unit is Unit.PROBABILITY


def test_islands_stay_unless_the_card_says_that_the_structure_is_in_one_piece(a_model: Model):
    def two_balls(points: np.ndarray) -> np.ndarray:
        return a_ball(points) | (np.linalg.norm(points - [-14.0, -12.0, -10.0], axis=-1) < 3)

    scan = a_scan(centred((30, 34, 38), (1.0, 1.0, 1.0), np.eye(3)), two_balls)
    one_ball = a_scan(scan.grid, a_ball).array > 0
    for components, expected in (("all", scan.array > 0), ("without-islands", one_ball)):
        model = dataclasses.replace(a_model, card=dataclasses.replace(a_model.card, components=components))
        result = segment(scan, model, settings=RunSettings(), reporter=SilentReporter(), engine=BrightnessEngine())
        np.testing.assert_array_equal(result.labels.array > 0, expected)


def test_without_being_asked_no_confidence_is_kept(a_model: Model):
    scan = a_scan(Grid((16, 16, 16)), a_ball)
    result = segment(scan, a_model, settings=RunSettings(), reporter=SilentReporter(), engine=BrightnessEngine())
    assert result.confidence is None
    assert result.label_confidence is None


class SureEngine(BrightnessEngine):
    """As certain as it is bright: 0.75 of label 1, 0.9 of label 2, and 0.5 of label 1 where it is barely bright."""

    def predict(self, windows: np.ndarray) -> np.ndarray:
        value = windows[:, 0]
        first = np.select([value > BRIGHT, value > 0.7 * BRIGHT, value > BRIGHT / 2], [-40, np.log(3), 1e-3], -40)
        second = np.where(value > BRIGHT, np.log(9), -40)
        return np.stack([np.zeros_like(value), first, second], axis=1).astype(np.float32)


@pytest.mark.parametrize("confidence", [ConfidenceChoice.PER_LABEL, ConfidenceChoice.PER_VOXEL])
@pytest.mark.parametrize("components", ["all", "without-islands"])
def test_a_label_has_the_mean_probability_of_its_own_voxels(a_model: Model, confidence: str, components: str):
    """A speck that the network is less sure of counts as long as it is kept."""
    scan = a_scan(centred((30, 34, 38), (1.0, 1.0, 1.0), np.eye(3)), a_ball)
    scan.array[2:4, 2:4, 2:4] = 0.6 * BRIGHT
    model = dataclasses.replace(a_model, card=dataclasses.replace(a_model.card, components=components))
    settings = RunSettings(confidence=confidence)
    result = segment(scan, model, settings=settings, reporter=SilentReporter(), engine=SureEngine())
    larger, specks = np.count_nonzero(scan.array == np.float32(0.8 * BRIGHT)), 8
    first = 0.75 if components == "without-islands" else (0.75 * larger + 0.5 * specks) / (larger + specks)
    assert list(result.label_confidence) == ["anterior_hippocampus", "posterior_hippocampus"]
    assert result.label_confidence["anterior_hippocampus"] == pytest.approx(first, abs=1e-3)
    assert result.label_confidence["posterior_hippocampus"] == pytest.approx(0.9, abs=1e-3)
    assert (result.confidence is None) == (confidence is ConfidenceChoice.PER_LABEL)


def test_each_side_of_a_head_has_its_own_confidence(a_model: Model):
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    model = dataclasses.replace(a_model, card=dataclasses.replace(a_model.card, localiser=card.localiser))
    scan = a_scan(centred((100, 100, 100), (1.0, 1.0, 1.0), np.eye(3)), lambda points: np.abs(points[..., 0]) > 15)
    both = RunSettings(region="-40,45,-20,20,-20,20", confidence=ConfidenceChoice.PER_LABEL)
    result = segment(scan, model, settings=both, reporter=SilentReporter(), engine=SureEngine())
    assert result.label_confidence == pytest.approx(
        {"left_posterior_hippocampus": 0.9, "right_anterior_hippocampus": 0.75}, abs=1e-3
    )


def test_a_scan_without_the_structure_gives_an_empty_result(a_model: Model):
    scan = a_scan(Grid((16, 16, 16)), lambda points: np.zeros(points.shape[:-1], bool))
    result = segment(scan, a_model, settings=RunSettings(), reporter=SilentReporter(), engine=BrightnessEngine())
    assert result.changed is None
    assert not np.any(result.labels.array)


def test_a_region_in_a_whole_head_is_named_after_its_side(a_model: Model):
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    model = dataclasses.replace(a_model, card=dataclasses.replace(a_model.card, localiser=card.localiser))
    scan = a_scan(centred((100, 100, 100), (1.0, 1.0, 1.0), np.eye(3)), lambda points: np.ones(points.shape[:-1], bool))
    reporter = SilentReporter()
    on_the_right = RunSettings(region="10:30,40:60,40:60")
    result = segment(scan, model, settings=on_the_right, reporter=reporter, engine=BrightnessEngine())
    assert set(np.unique(result.labels.array)) == {0, 3}
    assert result.table.find(3).key == "right_anterior_hippocampus"
    assert any("taken for the right hippocampus" in message for message in reporter.messages)
    assert result.provenance.regions[0].mirrored


@pytest.mark.parametrize("direction", [np.eye(3), -np.eye(3), PERMUTED])
def test_a_region_over_both_sides_of_a_head_is_cut_at_its_middle(a_model: Model, direction: np.ndarray):
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    model = dataclasses.replace(a_model, card=dataclasses.replace(a_model.card, localiser=card.localiser))
    scan = a_scan(centred((100, 100, 100), (1.0, 1.0, 1.0), direction), lambda points: np.abs(points[..., 0]) > 15)
    reporter = SilentReporter()
    both = RunSettings(region="-40,45,-20,20,-20,20")
    result = segment(scan, model, settings=both, reporter=reporter, engine=BrightnessEngine())
    left, right = ("left_posterior_hippocampus", "right_anterior_hippocampus")
    assert set(np.unique(result.labels.array)) == {0, *(result.table.find(key).value for key in (left, right))}
    for key, side in ((left, 1.0), (right, -1.0)):
        found = scan.grid.lps_of(np.argwhere(result.labels.array == result.table.find(key).value))
        assert np.all(side * found[:, 0] > 15)
    assert any("cut there into left hippocampus and right hippocampus" in message for message in reporter.messages)
    assert [region.mirrored for region in result.provenance.regions] == [False, True]


def test_a_small_scan_needs_no_localiser(a_model: Model):
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    localiser: Localiser = card.localiser
    model = dataclasses.replace(a_model, card=dataclasses.replace(a_model.card, localiser=localiser))
    scan = a_scan(centred((30, 50, 35), (1.0, 1.0, 1.0), np.eye(3)), a_ball)
    result = segment(scan, model, settings=RunSettings(), reporter=SilentReporter(), engine=BrightnessEngine())
    assert [label.key for label in result.table] == ["anterior_hippocampus", "posterior_hippocampus"]
    assert result.provenance.regions[0].name == "whole volume"


def test_the_record_says_how_the_result_came_about(a_model: Model):
    scan = a_scan(Grid((16, 16, 16)), a_ball)
    settings = RunSettings(overlap=0.25)
    record = segment(scan, a_model, settings=settings, reporter=SilentReporter(), engine=BrightnessEngine()).provenance
    assert (record.model, record.engine, record.device) == ("hippocampus-mr", "brightness", "cpu")
    assert (record.input_name, record.grid_shape) == ("phantom", (16, 16, 16))
    assert record.settings["overlap"] == 0.25
    assert record.seconds >= 0


def test_progress_counts_up_to_the_total_and_the_memory_plan_is_told(a_model: Model):
    class Watching(SilentReporter):
        def __init__(self) -> None:
            super().__init__()
            self.steps: list[tuple[int, int]] = []

        def progress(self, done: int, total: int, stage: str) -> None:
            self.steps.append((done, total))

    reporter = Watching()
    scan = a_scan(Grid((40, 20, 20)), a_ball)
    segment(scan, a_model, settings=RunSettings(), reporter=reporter, engine=BrightnessEngine())
    assert reporter.steps[-1][0] == reporter.steps[-1][1] > 1
    assert any("GiB" in message or "MiB" in message for message in reporter.messages)


def test_a_cancelled_run_stops_between_windows(a_model: Model):
    class Impatient(SilentReporter):
        seen = 0

        def progress(self, done: int, total: int, stage: str) -> None:
            self.seen = done

        def cancelled(self) -> bool:
            return self.seen >= 2

    reporter = Impatient()
    scan = a_scan(Grid((60, 30, 30)), a_ball)
    with pytest.raises(Cancelled):
        segment(scan, a_model, settings=RunSettings(), reporter=reporter, engine=BrightnessEngine())
    assert reporter.seen == 2


def test_a_scan_of_another_kind_is_refused(a_model: Model):
    scan = dataclasses.replace(a_scan(Grid((16, 16, 16)), a_ball), modality=Modality.CT)
    with pytest.raises(InputError, match="'phantom' is a CT scan; 'hippocampus-mr' takes MR"):
        segment(scan, a_model, settings=RunSettings(), reporter=SilentReporter(), engine=BrightnessEngine())


@pytest.mark.parametrize(("slice_mm", "warned"), [(2.0, False), (6.0, True)])
def test_thick_slices_are_warned_of(a_model: Model, slice_mm: float, warned: bool):
    scan = a_scan(centred((16, 16, 16), (1.0, 1.0, slice_mm), PERMUTED), a_ball)
    reporter = SilentReporter()
    segment(scan, a_model, settings=RunSettings(), reporter=reporter, engine=BrightnessEngine())
    assert any("may miss much" in message and "6 x 1 x 1 mm" in message for message in reporter.messages) is warned


def test_a_scan_in_another_unit_is_refused(a_model: Model):
    wanted = dataclasses.replace(a_model.card.inputs[0], modality=Modality.PET, unit=Unit.SUV_BODY_WEIGHT)
    model = dataclasses.replace(a_model, card=dataclasses.replace(a_model.card, inputs=(wanted,)))
    scan = dataclasses.replace(a_scan(Grid((16, 16, 16)), a_ball), modality=Modality.PET, unit=Unit.HOUNSFIELD)
    with pytest.raises(InputError, match="is in HU; 'hippocampus-mr' takes SUVbw"):
        segment(scan, model, settings=RunSettings(), reporter=SilentReporter(), engine=BrightnessEngine())


def test_a_model_of_several_inputs_is_refused_for_one_scan(a_model: Model):
    first = a_model.card.inputs[0]
    inputs = (first, dataclasses.replace(first, name="T2"))
    model = dataclasses.replace(a_model, card=dataclasses.replace(a_model.card, inputs=inputs))
    with pytest.raises(InputError, match=r"takes 2 scans at once: T1 \(MR\), T2 \(MR\); T2 is missing"):
        segment(
            a_scan(Grid((16, 16, 16)), a_ball),
            model,
            settings=RunSettings(),
            reporter=SilentReporter(),
            engine=BrightnessEngine(),
        )


def test_a_scan_that_does_not_say_its_kind_is_taken_with_a_word(a_model: Model):
    scan = dataclasses.replace(a_scan(Grid((16, 16, 16)), a_ball), modality=Modality.UNKNOWN)
    reporter = SilentReporter()
    segment(scan, a_model, settings=RunSettings(), reporter=reporter, engine=BrightnessEngine())
    assert "'phantom' does not say what kind of scan it is; taken for MR." in reporter.messages


def test_a_scan_in_which_every_voxel_is_equal_is_segmented_with_a_warning(a_model: Model):
    scan = a_scan(Grid((16, 16, 16)), a_ball)
    warning = "Every voxel of 'phantom' is 7: there is nothing in it, and whatever is found is wrong."
    for array, warned in ((np.full_like(scan.array, 7), True), (scan.array, False)):
        reporter = SilentReporter()
        segment(scan.with_array(array), a_model, settings=RunSettings(), reporter=reporter, engine=BrightnessEngine())
        assert (warning in reporter.messages) is warned


def test_a_region_maps_to_the_voxels_inside_its_corners():
    grid = Grid((20, 20, 20), (2.0, 2.0, 2.0))
    region = Grid((4, 4, 4), origin=(10.0, 10.0, 10.0))
    box = region_box(region, grid)
    assert box == Box((5, 5, 5), (7, 7, 7))
