"""A CT is brought into shape: the result takes its place, what it was before stays to be looked at; all undoable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import slicer

from MedSegAI.Bridge.scan_attributes import is_scan, steps_of
from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.slice_composites import slice_composites
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Bridge.window_level import Window, window_of
from MedSegAI.Logic.errors import InputError, WorkerError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.volume import Modality, Unit, Volume
from MedSegAI.Session.preparation import Preparation
from MedSegAI.Session.run import Outcome, RunKind
from MedSegAI.Session.session import Session
from Testing.Logic.standardise.pet.headers import EASY, EASY_FACTOR
from Testing.Session.conftest import work_through


@pytest.fixture(scope="module")
def a_ct(data_folder):
    """A part of a real chest CT of 3 mm."""
    path = data_folder / "totalseg_ct" / "example_ct.nii.gz"
    if not path.is_file():
        pytest.skip(f"no real data at {path}")
    whole = replace(read_volume(path, modality=Modality.CT), unit=Unit.HOUNSFIELD, name="chest")
    part = whole.crop(Box((40, 20, 20), (70, 80, 90)))
    return part.with_array(part.array.copy())


@pytest.fixture
def preparation(a_session, a_ct):
    a_session.add_scan(a_ct)
    return Preparation(a_session)


def background_of(session):
    shown = {composite.GetBackgroundVolumeID() for composite in slice_composites(session.scene)}
    assert len(shown) == 1
    return session.scene.GetNodeByID(shown.pop())


def clip(preparation, low=-200.0, high=200.0):
    preparation.start(preparation.chosen("ct-clip", {"low": low, "high": str(high)}))
    run = work_through(preparation._session)
    assert (run.kind, run.outcome) == (RunKind.PREPARE, Outcome.DONE), run.error
    return preparation.scan


def test_the_steps_for_a_ct_are_offered_with_their_settings(preparation):
    offers = {offer.kind: offer for offer in preparation.offers}
    assert offers["ct-clip"].title == "Air and metal clipping"
    assert {(setting.name, setting.value) for setting in offers["ct-clip"].settings} == {
        ("low", -1024.0),
        ("high", 3071.0),
    }
    assert "n4" not in offers and "suv" not in offers


def test_a_prepared_scan_takes_the_place_of_the_one_before_and_says_what_was_done(a_session, preparation, a_ct):
    before = a_session.scan
    node = clip(preparation)
    assert a_session.scan is node and node is not before
    assert node.GetName() == "chest (ct-clip)"
    np.testing.assert_array_equal(node_to_volume(node).array, np.clip(a_ct.array, -200, 200))
    np.testing.assert_array_equal(node_to_volume(before).array, a_ct.array)
    (sentence,) = preparation.sentences
    assert sentence.startswith("Clipped to -200..200 HU")


def test_it_is_one_undo_state(a_session, preparation):
    before, count = a_session.scan, a_session.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    node = clip(preparation)
    assert a_session.undo_stack.undo_text() == "prepare chest"
    a_session.undo()
    assert a_session.scan is before
    assert a_session.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == count
    a_session.redo()
    assert a_session.scan is node
    assert preparation.has_before


def test_before_and_after_are_shown_in_the_same_slices_through_the_same_window_of_hounsfield_units(
    a_session, preparation
):
    before = a_session.scan
    preparation.set_window(Window(1500.0, -600.0))
    assert not preparation.has_before
    node = clip(preparation)
    assert background_of(a_session) is node
    # Hounsfield units before and after: what is compared is the scan, not the window.
    assert preparation.window == Window(1500.0, -600.0)
    preparation.set_window(Window(350.0, 50.0))

    preparation.show_before(True)
    assert preparation.stage == "before"
    assert background_of(a_session) is before
    assert preparation.window == Window(350.0, 50.0)
    assert a_session.scan is node
    preparation.set_window(Window(80.0, 40.0))

    preparation.show_before(False)
    assert background_of(a_session) is node
    assert window_of(node) == Window(80.0, 40.0)
    preparation.set_window(None)
    assert window_of(before) == window_of(node) != Window(80.0, 40.0)


def test_values_that_do_not_mean_the_same_keep_windows_of_their_own(a_session, a_crop):
    before = a_session.add_scan(replace(a_crop, modality=Modality.MR))
    preparation = Preparation(a_session)
    preparation.start(preparation.chosen("z-score", {}))
    assert work_through(a_session).outcome is Outcome.DONE, a_session.run.error
    as_read = window_of(before)
    preparation.set_window(Window(4.0, 0.5))
    assert (window_of(a_session.scan), window_of(before)) == (Window(4.0, 0.5), as_read)


@pytest.mark.parametrize("window", [Window(0.0, 40.0), Window(-1.0, 0.0), Window(np.nan, 0.0), Window(1.0, np.inf)])
def test_a_window_that_shows_nothing_is_refused(preparation, window):
    before = preparation.window
    with pytest.raises(InputError, match="shows nothing"):
        preparation.set_window(window)
    assert preparation.window == before


def test_preparing_again_compares_with_the_step_before(a_session, preparation):
    first = clip(preparation)
    second = clip(preparation, low=-100.0, high=100.0)
    assert len(preparation.sentences) == 2
    preparation.show_before(True)
    assert background_of(a_session) is first
    assert a_session.scan is second


def test_no_scan_and_no_step_are_refused(a_session, preparation):
    with pytest.raises(InputError, match="No step"):
        preparation.start()
    with pytest.raises(InputError, match="'abc' is no number for 'low'"):
        preparation.start(preparation.chosen("ct-clip", {"low": "abc"}))
    with pytest.raises(InputError, match="There is no step 'polish'"):
        preparation.start(preparation.chosen("polish", {}))
    a_session.set_input(0, None)
    with pytest.raises(InputError, match="no scan to prepare"):
        preparation.start(preparation.chosen("ct-clip", {}))
    assert (preparation.offers, preparation.sentences, preparation.extras) == ((), (), ())
    assert not preparation.has_before and preparation.presets == () and preparation.window is None
    preparation.set_window(Window(1.0, 0.0))


def test_a_step_that_refuses_the_scan_leaves_everything_as_it_was(a_session, preparation, a_ct):
    node = a_session.add_scan(replace(a_ct, unit=Unit.ARBITRARY, array=(a_ct.array % 7).astype(np.uint8)))
    preparation.start(preparation.chosen("ct-clip", {}))
    assert work_through(a_session).outcome is Outcome.FAILED
    assert a_session.scan is node


def test_a_second_run_waits_for_the_first(a_session, preparation):
    preparation.start(preparation.chosen("ct-clip", {}))
    with pytest.raises(WorkerError, match="still being computed"):
        preparation.start(preparation.chosen("ct-clip", {}))
    work_through(a_session)


def test_who_goes_on_to_another_scan_meanwhile_stays_there(a_session, preparation, a_crop):
    preparation.start(preparation.chosen("ct-clip", {}))
    other = a_session.add_scan(a_crop)
    assert work_through(a_session).outcome is Outcome.DONE
    assert a_session.scan is other
    names = [node.GetName() for node in nodes_of_class(a_session.scene, "vtkMRMLScalarVolumeNode")]
    assert "chest (ct-clip)" in names


def test_the_bias_field_is_kept_to_be_looked_at_and_is_no_scan(a_session, a_crop):
    preparation = Preparation(a_session)
    before = a_session.add_scan(replace(a_crop, name="head", modality=Modality.MR))
    preparation.start(preparation.chosen("n4", {}))
    assert work_through(a_session).outcome is Outcome.DONE, a_session.run.error
    (title,) = preparation.extras
    preparation.show(title)
    extra = background_of(a_session)
    assert not is_scan(extra) and extra.GetName() == f"head (n4): {title}"
    while a_session.scan is not before:
        a_session.undo()
    assert not a_session.scene.IsNodePresent(extra)
    assert preparation.stage == "after" and background_of(a_session) is before


def test_a_saved_case_still_shows_before_and_after(a_session, a_runner, preparation, tmp_path):
    clip(preparation)
    preparation.show_before(True)
    a_session.save(tmp_path / "case.mrb")
    again = Session(new_scene(), a_runner)
    again.open(tmp_path / "case.mrb")
    restored = Preparation(again)
    assert restored.stage == "before" and restored.has_before
    assert [record.step for record in steps_of(again.scan)] == ["ct-clip"]
    assert isinstance(again.scan, slicer.vtkMRMLScalarVolumeNode)
    again.close()


def test_a_person_can_say_what_kind_of_scan_a_file_holds(a_session, a_ct):
    node = a_session.add_scan(replace(a_ct, modality=Modality.UNKNOWN, unit=Unit.ARBITRARY))
    preparation = Preparation(a_session)
    assert {"ct-clip", "n4", "suv"} <= {offer.kind for offer in preparation.offers}
    assert preparation.presets == ()

    preparation.take_for(Modality.CT)
    assert "n4" not in {offer.kind for offer in preparation.offers}
    assert [preset.key for preset in preparation.presets] == ["lung", "mediastinum", "bone", "brain", "liver"]
    assert node_to_volume(node).unit is Unit.HOUNSFIELD

    a_session.undo()
    assert (preparation.modality, preparation.presets) == (Modality.UNKNOWN, ())
    a_session.redo()
    preparation.take_for(Modality.MR)
    assert node_to_volume(node).unit is Unit.ARBITRARY
    assert preparation.presets == ()


def test_a_scan_gets_the_histogram_of_another_that_is_looked_at_in_another_thread(a_session, a_crop, another_crop):
    other = a_session.add_scan(replace(another_crop, modality=Modality.MR, name="other"))
    a_session.add_scan(replace(a_crop, modality=Modality.MR, name="head"))
    preparation = Preparation(a_session)
    assert preparation.references == (other,)
    preparation.start(preparation.chosen("histogram-match", {}, reference=other))
    assert work_through(a_session).outcome is Outcome.DONE, a_session.run.error
    assert "'other'" in preparation.sentences[0]
    median = np.median(node_to_volume(a_session.scan).array)
    assert abs(median / np.median(another_crop.array) - 1) < 0.25


def test_a_reference_that_does_not_serve_ends_the_run_with_the_reason(a_session, a_crop):
    flat = a_session.add_scan(replace(a_crop, array=np.ones(a_crop.grid.shape, np.float32), name="flat"))
    head = a_session.add_scan(replace(a_crop, modality=Modality.MR, name="head"))
    preparation = Preparation(a_session)
    preparation.start(preparation.chosen("histogram-match", {}, reference=flat))
    run = work_through(a_session)
    assert run.outcome is Outcome.FAILED and "flat" in run.error.problem
    assert a_session.scan is head


def test_a_run_can_be_cancelled_and_leaves_the_scan_as_it_is(a_session, a_crop):
    node = a_session.add_scan(replace(a_crop, modality=Modality.MR))
    preparation = Preparation(a_session)
    preparation.start(preparation.chosen("n4", {}))
    a_session.cancel()
    assert work_through(a_session).outcome is Outcome.CANCELLED
    assert a_session.scan is node


def test_a_pet_scan_comes_to_suv_by_what_its_header_says_also_after_it_was_saved(a_session, a_runner, tmp_path):
    acquisition = EASY
    counts = np.arange(64, dtype=np.int16).reshape(4, 4, 4) * 100
    pet = Volume(counts, Grid((4, 4, 4)), Modality.PET, Unit.ACTIVITY, "pet", acquisition=acquisition)
    a_session.add_scan(pet)
    a_session.save(tmp_path / "case.mrb")
    again = Session(new_scene(), a_runner)
    again.open(tmp_path / "case.mrb")
    preparation = Preparation(again)
    assert [offer.kind for offer in preparation.offers] == ["suv"]
    preparation.start(preparation.chosen("suv", {"by": "bw"}))
    assert work_through(again).outcome is Outcome.DONE, again.run.error
    made = node_to_volume(again.scan)
    assert made.unit is Unit.SUV_BODY_WEIGHT
    np.testing.assert_allclose(made.array, counts * EASY_FACTOR, rtol=1e-6)
    again.close()
