"""What a method found is compared nodule by nodule, and the rest of it counted."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.evaluation.luna16.draw_outlines import PlacedMask
from MedSegAI.Logic.evaluation.luna16.methods import OurModel, StoredPredictions, digest_of, found_in
from MedSegAI.Logic.evaluation.luna16.references import NoduleReference, ScanReferences, ball_references
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.files.luna16 import Luna16Nodule, read_luna16
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.models.weights import save_model
from MedSegAI.Logic.settings import RunSettings
from Testing.pointed_model import NAME, install_pointed_model
from Testing.tiny_luna16 import SCANS, TURNED, ball_mask

CPU = RunSettings(device="cpu")


def block(start: tuple[int, int, int], size: int = 3) -> PlacedMask:
    return PlacedMask(Box(start, tuple(a + size for a in start)), np.ones((size,) * 3, bool))


def references_at(*places: tuple[int, int, int], marked: tuple[PlacedMask, ...] = ()) -> ScanReferences:
    nodules = tuple(
        NoduleReference(Luna16Nodule(f"s/{n}", (0.0, 0.0, 0.0), 3.0), block(place), 4)
        for n, place in enumerate(places, start=1)
    )
    return ScanReferences(nodules, (), marked)


def labels_with(*parts: tuple[slice, slice, slice]) -> np.ndarray:
    labels = np.zeros((20, 20, 20), np.uint8)
    for number, part in enumerate(parts, start=1):
        labels[part] = number
    return labels


def cube(start: int, stop: int) -> tuple[slice, slice, slice]:
    return (slice(start, stop),) * 3


def test_every_part_that_touches_a_nodule_is_compared_whole():
    labels = labels_with(cube(1, 3), (slice(4, 5), slice(2, 4), slice(2, 9)), cube(15, 17))
    found = found_in(labels, references_at((2, 2, 2)))
    mask = found.nodules["s/1"].within(Box.whole(labels.shape))
    np.testing.assert_array_equal(mask, (labels == 1) | (labels == 2))
    assert found.false_alarms == 1


def test_a_nodule_that_nothing_touches_was_not_found():
    found = found_in(labels_with(cube(15, 17)), references_at((2, 2, 2)))
    assert found.nodules == {"s/1": None}
    assert found.false_alarms == 1
    empty = found_in(labels_with(), references_at((2, 2, 2)))
    assert (empty.nodules, empty.false_alarms) == ({"s/1": None}, 0)


def test_a_part_over_two_nodules_is_compared_with_both_and_is_no_false_alarm():
    found = found_in(labels_with((slice(2, 4), slice(2, 4), slice(2, 15))), references_at((2, 2, 2), (2, 2, 12)))
    assert found.nodules["s/1"].mask.sum() == found.nodules["s/2"].mask.sum() == 2 * 2 * 13
    assert found.false_alarms == 0


def test_what_any_radiologist_marked_is_no_false_alarm():
    labels = labels_with(cube(10, 12), cube(15, 17))
    assert found_in(labels, references_at()).false_alarms == 2
    assert found_in(labels, references_at(marked=(block((11, 11, 11)),))).false_alarms == 1


@pytest.fixture(scope="module")
def scans(luna16):
    return read_luna16(luna16.folder, folds=(0, 1)).scans


def test_predictions_are_read_by_series(luna16, scans):
    method = StoredPredictions("theirs", luna16.predictions)
    for scan, tiny in zip(scans, SCANS):
        volume = tiny.volume
        nodules = read_luna16(luna16.folder, folds=(0,)).nodules.get(scan.series, ())
        found = method.find(scan, volume, ball_references(nodules, volume.grid))
        assert found.false_alarms == 1
        for ball, nodule in zip(tiny.balls, nodules):
            truth = ball_mask(ball, volume.grid, ball.radius)
            assert dice(found.nodules[nodule.name].within(Box.whole(truth.shape)), truth) > 0.55


def test_a_missing_prediction_and_one_on_another_grid_are_refused(luna16, scans, tmp_path):
    method, scan, volume = StoredPredictions("theirs", tmp_path), scans[2], SCANS[2].volume
    assert method.state(scan) == "no file"
    with pytest.raises(InputError, match=rf"has no prediction for the scan {TURNED}"):
        method.find(scan, volume, references_at())
    image = sitk.ReadImage(str(luna16.predictions / f"{TURNED}.nii.gz"))
    image.SetOrigin((0.0, 0.0, 0.0))
    sitk.WriteImage(image, str(tmp_path / f"{TURNED}.mha"))
    assert method.state(scan) != "no file"
    with pytest.raises(InputError, match="does not lie on the grid of its scan"):
        method.find(scan, volume, references_at())


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return install_pointed_model(tmp_path_factory.mktemp("models"))


def test_a_model_is_pointed_at_each_nodule(luna16, scans, models):
    method = OurModel("ours", str(models.folder), CPU, (0, 1))
    assert not method.looks_by_itself
    scan, tiny = scans[2], SCANS[2]
    volume = tiny.volume
    nodules = read_luna16(luna16.folder, folds=(0,)).nodules[TURNED][:1]
    found = method.find(scan, volume, ball_references(nodules, volume.grid))
    assert found.false_alarms is None
    truth = ball_mask(tiny.balls[0], volume.grid, tiny.balls[0].radius)
    assert dice(found.nodules[nodules[0].name].within(Box.whole(truth.shape)), truth) > 0.85


def test_a_model_that_needs_no_point_looks_through_the_whole_scan(luna16, scans, models, tmp_path):
    from safetensors.torch import load_file

    card = dataclasses.replace(models.card, name="bright-everywhere", components="all", point_box_mm=None)
    everywhere = save_model(tmp_path / card.name, card, state=load_file(models.weights_path))
    method = OurModel("ours", str(everywhere.folder), CPU, (0, 1))
    assert method.looks_by_itself
    volume = SCANS[2].volume
    nodules = read_luna16(luna16.folder, folds=(0,)).nodules[TURNED][:1]
    found = method.find(scans[2], volume, ball_references(nodules, volume.grid))
    assert found.nodules[nodules[0].name] is not None
    assert found.false_alarms >= 1


def test_a_point_where_the_model_finds_nothing_is_a_nodule_missed(scans, models):
    method = OurModel("ours", str(models.folder), CPU, (0, 1))
    volume = dataclasses.replace(SCANS[2].volume, array=np.full((64, 64, 64), -1000, np.int16))
    found = method.find(scans[2], volume, references_at((30, 30, 30)))
    assert found.nodules == {"s/1": None}


def test_each_fold_may_have_a_model_of_its_own(scans, models, tmp_path):
    for fold in (0, 1):
        shutil.copytree(models.folder, tmp_path / f"fold{fold}")
    method = OurModel("ours", str(tmp_path / "fold{fold}"), CPU, (0, 1))
    assert method.state(scans[0]) == method.state(scans[2])
    with pytest.raises(ModelError, match="fold2"):
        OurModel("ours", str(tmp_path / "fold{fold}"), CPU, (2,))


def test_a_missing_model_is_told_before_anything_is_measured():
    with pytest.raises(ModelError, match=f"no model '{NAME}s'"):
        OurModel("ours", f"{NAME}s", CPU, (0,))


def test_a_digest_tells_states_apart():
    assert digest_of("a", 1) == digest_of("a", 1) != digest_of("a", 2)
