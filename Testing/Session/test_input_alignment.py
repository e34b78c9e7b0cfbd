"""A model of two inputs: each scan finds its place, is moved onto the first one where it must be, and both are used."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
import torch

from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.align.alignment import Verdict
from MedSegAI.Logic.align.move import moved_grid
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.weights import build_network, save_model
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.standardise.resample import grid_with_spacing, resample
from MedSegAI.Logic.volume import Modality, Volume
from MedSegAI.Session.choices import RegionChoice
from MedSegAI.Session.input_alignment import InputAlignment
from MedSegAI.Session.input_slots import place_for
from MedSegAI.Session.preparation import Preparation
from MedSegAI.Session.prepared_scans import every_stage_of
from MedSegAI.Session.run import Outcome, RunKind
from MedSegAI.Session.session import Session
from Testing.Session.conftest import work_through

ANGLE = np.radians(8.0)
MOVE = LinearTransform(
    (np.cos(ANGLE), -np.sin(ANGLE), 0, 9, np.sin(ANGLE), np.cos(ANGLE), 0, -6, 0, 0, 1, 4, 0, 0, 0, 1)
)


@pytest.fixture(scope="module")
def a_model_of_two(tmp_path_factory, repository_root):
    """T1 and T2, of which the second may be missing, with random weights."""
    template = repository_root / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
    card = ModelCard.from_json(template.read_text(encoding="utf-8"))
    second = dataclasses.replace(card.inputs[0], name="T2", optional=True)
    arguments = {**card.network_arguments, "in_channels": 2}
    changes = {"inputs": (card.inputs[0], second), "network_arguments": arguments, "window": (32, 64, 32)}
    card = dataclasses.replace(card, **changes, localiser=None, spacing_mm=(6.0, 6.0, 6.0), components="all")
    torch.manual_seed(3)
    state = build_network(card.network, card.network_arguments).state_dict()
    return save_model(tmp_path_factory.mktemp("models") / "two-inputs", card, state=state)


@pytest.fixture(scope="module")
def two_sequences(data_folder):
    """T1 and T2 of one head, on one grid of 4 mm."""
    folder = data_folder / "brats_like" / "BraTS-GLI-00001-000"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    found = []
    for name, ending in (("head T1", "t1n"), ("head T2", "t2w")):
        scan = read_volume(folder / f"BraTS-GLI-00001-000-{ending}.nii.gz", modality=Modality.MR)
        found.append(replace(resample(scan, grid_with_spacing(scan.grid, (4.0, 4.0, 4.0))), name=name))
    return tuple(found)


@pytest.fixture
def a_case_of_two(a_session, a_model_of_two, two_sequences):
    """The T2 lies elsewhere than it should."""
    return with_two_scans(a_session, a_model_of_two, two_sequences)


@pytest.fixture(scope="module")
def an_aligned_case(a_runner, a_model_of_two, two_sequences):
    """The T2 was moved onto the T1; for tests that leave it there."""
    session = with_two_scans(Session(new_scene(), a_runner), a_model_of_two, two_sequences)
    aligned(session)
    yield session
    session.close()


def with_two_scans(session, model, sequences):
    t1, t2 = sequences
    session.choose(model=str(model.folder), region=RegionChoice.WHOLE)
    session.add_scan(replace(t2, grid=moved_grid(t2.grid, MOVE)))
    session.add_scan(t1)
    return session


def distance_mm(node, volume):
    return float(np.abs(node_to_volume(node).grid.corners_lps() - volume.grid.corners_lps()).max())


def aligned(session):
    InputAlignment(session).start_align(1)
    run = work_through(session)
    assert (run.kind, run.outcome) == (RunKind.ALIGN, Outcome.DONE), run.error
    return session.inputs[1]


def test_each_scan_goes_to_the_input_that_its_name_speaks_for(a_case_of_two):
    assert [slot.node.GetName() for slot in a_case_of_two.inputs] == ["head T1", "head T2"]
    assert a_case_of_two.viewed_index == 0
    a_case_of_two.view_input(1)
    assert a_case_of_two.viewed_volume is a_case_of_two.inputs[1].node


def test_what_a_scan_was_before_it_was_prepared_moves_with_it(a_session, a_model_of_two, a_crop):
    with_two_scans(a_session, a_model_of_two, [replace(a_crop, name=name) for name in ("crop T1", "crop T2")])
    a_session.view_input(1)
    preparation = Preparation(a_session)
    for chosen in (preparation.chosen("z-score", {}), preparation.chosen("n4", {"levels": 1, "iterations": 2})):
        preparation.start(chosen)
        assert work_through(a_session).outcome is Outcome.DONE, a_session.run.error
    stages = every_stage_of(a_session.viewed_input)
    assert stages[0].GetName() == "crop T2 (z-score) (n4)" and len(stages) == 4

    aligned(a_session)
    (transform,) = {node.GetParentTransformNode() for node in stages}
    assert transform is not None
    InputAlignment(a_session).take_off(1)
    assert {node.GetParentTransformNode() for node in stages} == {None}
    a_session.undo()
    assert {node.GetParentTransformNode() for node in stages} == {transform}


def test_a_model_of_one_scan_shows_the_first_and_the_second_comes_back_with_the_other_model(a_case_of_two):
    second, model = a_case_of_two.inputs[1].node, a_case_of_two.choices.model
    a_case_of_two.view_input(1)
    a_case_of_two.choose(model="hippocampus-mr")
    assert a_case_of_two.viewed_volume is a_case_of_two.scan
    a_case_of_two.choose(model="no-such-model")
    assert a_case_of_two.viewed_volume is a_case_of_two.scan
    a_case_of_two.choose(model=model)
    assert a_case_of_two.viewed_volume is second


def test_without_a_name_that_fits_it_is_the_first_free_one_and_else_the_first(a_case_of_two, a_session):
    nameless = Volume(np.zeros((2, 2, 2)), Grid((2, 2, 2)), Modality.MR, name="series 7")
    assert place_for(a_case_of_two.inputs, nameless) == 0
    assert place_for(a_case_of_two.inputs, replace(nameless, name="another_T2_axial")) == 1
    a_case_of_two.set_input(1, None)
    assert place_for(a_case_of_two.inputs, nameless) == 1
    a_case_of_two.set_input(0, None)
    assert place_for(a_case_of_two.inputs, nameless) == 0


def test_scans_of_which_nothing_says_that_they_lie_in_one_space_are_an_obstacle(a_case_of_two):
    first, second = a_case_of_two.inputs
    assert first.is_ready and first.space is None
    assert not second.is_ready and second.can_be_aligned
    assert "Nothing says that 'head T2' and 'head T1' lie in one space" in a_case_of_two.obstacle()
    assert "Align it first" in a_case_of_two.obstacle()
    with pytest.raises(InputError, match="Nothing says"):
        a_case_of_two.start_segment()


def test_a_missing_optional_scan_is_none(a_case_of_two):
    a_case_of_two.set_input(1, None)
    assert a_case_of_two.obstacle() == ""
    a_case_of_two.set_input(0, None)
    assert a_case_of_two.obstacle() == "Choose the T1 scan (MR) first."


def test_a_person_can_say_that_they_lie_right_as_they_are(a_case_of_two):
    InputAlignment(a_case_of_two).take_as_they_lie(True)
    assert InputAlignment(a_case_of_two).same_space
    assert a_case_of_two.obstacle() == ""
    assert "without registration" in a_case_of_two.inputs[1].space.sentence
    a_case_of_two.undo()
    assert a_case_of_two.obstacle() != ""


def test_an_aligned_scan_lies_where_it_should_and_says_how_well_in_one_undo_state(a_case_of_two, two_sequences):
    node = a_case_of_two.inputs[1].node
    before = distance_mm(node, two_sequences[1])
    slot = aligned(a_case_of_two)

    assert before > 15
    assert distance_mm(node, two_sequences[1]) < 2.0
    assert slot.is_ready and slot.alignment.quality.verdict is Verdict.GOOD
    assert slot.space.sentence == slot.alignment.sentence()
    assert a_case_of_two.viewed_index == 1
    assert a_case_of_two.undo_stack.undo_text() == "align head T2"

    transforms = a_case_of_two.scene.GetNumberOfNodesByClass("vtkMRMLLinearTransformNode")
    a_case_of_two.undo()
    assert distance_mm(node, two_sequences[1]) == pytest.approx(before)
    assert a_case_of_two.scene.GetNumberOfNodesByClass("vtkMRMLLinearTransformNode") == transforms - 1
    assert not a_case_of_two.inputs[1].is_ready
    a_case_of_two.redo()
    assert distance_mm(node, two_sequences[1]) < 2.0

    InputAlignment(a_case_of_two).take_off(1)
    assert distance_mm(node, two_sequences[1]) == pytest.approx(before)
    a_case_of_two.undo()
    assert a_case_of_two.inputs[1].is_ready


def test_both_scans_are_segmented_and_explained_together_and_the_result_lies_on_the_first(an_aligned_case):
    an_aligned_case.start_segment()
    run = work_through(an_aligned_case)
    assert run.outcome is Outcome.DONE, run.error
    assert an_aligned_case.segmentation.GetNodeReference("referenceImageGeometryRef") is an_aligned_case.inputs[0].node
    an_aligned_case.start_explain()
    assert work_through(an_aligned_case).outcome is Outcome.DONE, an_aligned_case.run.error
    assert node_to_volume(an_aligned_case.heat_map).grid.same_frame(node_to_volume(an_aligned_case.scan).grid)


def test_a_saved_case_is_still_aligned(an_aligned_case, a_runner, tmp_path):
    an_aligned_case.save(tmp_path / "case.mrb")
    again = Session(new_scene(), a_runner)
    again.open(tmp_path / "case.mrb")
    assert again.inputs[1].is_ready
    assert again.inputs[1].alignment == an_aligned_case.inputs[1].alignment
    again.close()


def test_preparing_either_scan_afterwards_leaves_them_together(an_aligned_case):
    preparation = Preparation(an_aligned_case)
    for index in (0, 1):
        an_aligned_case.view_input(index)
        preparation.start(preparation.chosen("z-score", {}))
        assert work_through(an_aligned_case).outcome is Outcome.DONE, an_aligned_case.run.error
    assert [slot.node.GetName() for slot in an_aligned_case.inputs] == ["head T1 (z-score)", "head T2 (z-score)"]
    assert an_aligned_case.obstacle() == ""


def test_what_cannot_be_aligned_is_said(a_case_of_two):
    alignment = InputAlignment(a_case_of_two)
    with pytest.raises(InputError, match="no two scans"):
        alignment.start_align(0)
    alignment.take_off(1)
    a_case_of_two.set_input(1, a_case_of_two.scan)
    assert "is the T1 scan already" in a_case_of_two.inputs[1].problem
    with pytest.raises(InputError, match="no two scans"):
        alignment.start_align(1)
