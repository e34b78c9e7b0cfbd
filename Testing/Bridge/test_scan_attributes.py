"""What a scan says of itself travels with its node, through a saved scene too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Bridge.heatmap_nodes import heatmap_to_node
from MedSegAI.Bridge.scan_attributes import (
    EXTRA_ATTRIBUTE,
    SourceSeries,
    acquisition_of,
    frame_of_reference_of,
    is_scan,
    modality_of,
    say_kind,
    source_of,
    steps_of,
    unit_of,
    write_source,
)
from MedSegAI.Bridge.scene import load_scene, save_scene
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.transform_nodes import transform_to_node
from MedSegAI.Bridge.volume_nodes import node_to_volume, update_volume_node, volume_to_node
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit

FRAME = "1.2.840.1234.5"
STEPS = (
    StepRecord("ct-offset", "Shifted by +3.2 HU: air; measured | -1003.2 HU.", {"peaks": ["air"]}, {"air_hu": -1003.2}),
    StepRecord("n4", "Corrected the bias field: é ~ 100 %.", {"shrink": 4, "mask": None}, {}),
)


@pytest.fixture
def a_prepared_scan(a_small_scan):
    acquisition = {"weight_kg": 70.5, "vendor": 'A "b"; c:d', "times": [1.0, None]}
    return replace(a_small_scan, frame_of_reference=FRAME, steps=STEPS, acquisition=acquisition)


def test_frame_steps_and_acquisition_go_into_the_node_and_back(a_scene, a_prepared_scan):
    back = node_to_volume(volume_to_node(a_prepared_scan, a_scene))
    assert (back.frame_of_reference, back.steps) == (FRAME, STEPS)
    assert back.acquisition == a_prepared_scan.acquisition


def test_they_are_still_there_in_a_scene_that_was_saved_and_opened_again(an_open_scene, a_prepared_scan, tmp_path):
    node = volume_to_node(a_prepared_scan, an_open_scene.mrml)
    write_source(node, SourceSeries(Path("/scans/head; 1"), "1.2.3"))
    save_scene(an_open_scene.mrml, tmp_path / "case.mrb")

    (again,) = nodes_of_class(load_scene(tmp_path / "case.mrb").mrml, "vtkMRMLScalarVolumeNode")

    assert (frame_of_reference_of(again), steps_of(again)) == (FRAME, STEPS)
    assert acquisition_of(again) == a_prepared_scan.acquisition
    assert source_of(again) == SourceSeries(Path("/scans/head; 1"), "1.2.3")


def test_a_node_that_is_given_another_scan_says_nothing_of_the_one_before(a_scene, a_prepared_scan, a_small_scan):
    node = volume_to_node(a_prepared_scan, a_scene)
    update_volume_node(node, a_small_scan)
    back = node_to_volume(node)
    assert (back.frame_of_reference, back.steps, back.acquisition) == ("", (), {})


def test_a_scan_that_was_moved_is_no_longer_in_its_frame_of_reference(a_scene, a_prepared_scan):
    node = volume_to_node(a_prepared_scan, a_scene)
    shift = np.eye(4)
    shift[0, 3] = 5.0
    node.SetAndObserveTransformNodeID(transform_to_node(shift, a_scene).GetID())
    assert frame_of_reference_of(node) == ""
    assert node_to_volume(node).steps == STEPS


@pytest.mark.parametrize("broken", ["{", '[{"step": "n4"}]', "7"])
def test_a_record_that_cannot_be_read_is_none(a_scene, a_prepared_scan, broken):
    node = volume_to_node(a_prepared_scan, a_scene)
    node.SetAttribute("MedSegAI.Steps", broken)
    node.SetAttribute("MedSegAI.Acquisition", broken)
    assert steps_of(node) == ()
    assert acquisition_of(node) == {}


def test_heat_maps_and_extras_of_a_step_are_no_scans(a_scene, a_small_scan):
    scan, extra = volume_to_node(a_small_scan, a_scene), volume_to_node(a_small_scan, a_scene)
    extra.SetAttribute(EXTRA_ATTRIBUTE, "bias field")
    heat = heatmap_to_node(a_small_scan.with_array(np.zeros(a_small_scan.grid.shape, np.float32)), a_scene)
    assert [is_scan(node) for node in (scan, extra, heat)] == [True, False, False]


def test_a_scan_that_came_from_no_dicom_files_has_no_source(a_scene, a_small_scan):
    node = volume_to_node(a_small_scan, a_scene)
    assert source_of(node) is None
    write_source(node, SourceSeries(Path("/scans"), "1.2"))
    write_source(node, None)
    assert source_of(node) is None


def test_a_ct_with_air_is_in_hounsfield_units_and_what_is_none_is_not(a_scene, a_small_scan):
    node = volume_to_node(a_small_scan.with_array(a_small_scan.array - 1000), a_scene)
    assert say_kind(node, Modality.CT) == (Modality.MR, Unit.ARBITRARY)
    assert (modality_of(node), unit_of(node)) == (Modality.CT, Unit.HOUNSFIELD)
    assert say_kind(node, Modality.MR) == (Modality.CT, Unit.HOUNSFIELD)
    assert unit_of(node) is Unit.ARBITRARY
    say_kind(node, Modality.PET, unit=Unit.ACTIVITY)
    assert (modality_of(node), unit_of(node)) == (Modality.PET, Unit.ACTIVITY)


def test_a_ct_without_values_below_zero_keeps_its_unit(a_scene, a_small_scan):
    node = volume_to_node(a_small_scan, a_scene)
    say_kind(node, Modality.CT)
    assert (modality_of(node), unit_of(node)) == (Modality.CT, Unit.ARBITRARY)
