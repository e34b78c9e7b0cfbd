"""A scan that was aligned lies on its reference, says how well, and goes back to its own place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Bridge.alignment_nodes import alignment_of, alignment_to_node, put_under
from MedSegAI.Bridge.scan_attributes import frame_of_reference_of
from MedSegAI.Bridge.transform_nodes import transform_to_node
from MedSegAI.Bridge.volume_nodes import node_to_volume, volume_to_node
from MedSegAI.Logic.align.alignment import Alignment, AlignmentQuality, Verdict
from MedSegAI.Logic.align.move import moved
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.register import LinearTransform
from Testing.Bridge.conftest import rotation

QUALITY = AlignmentQuality(1.02, 1.21, 0.7, 0.98, 12.3, 0.4, Verdict.GOOD)


def a_motion():
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(0.1, -0.2, 0.05)
    matrix[:3, 3] = (3.0, -8.0, 12.5)
    return matrix


def an_alignment():
    """The motion, said in the direction in which scans are resampled: from the reference to the moving scan."""
    back = np.linalg.inv(a_motion())
    return Alignment(LinearTransform(tuple(float(value) for value in back.ravel())), QUALITY, "FLAIR", "T1")


@pytest.fixture
def a_pair(a_scene, a_small_scan):
    """A reference with a known frame of reference, and a scan of another one."""
    reference = volume_to_node(replace(a_small_scan, name="T1", frame_of_reference="1.2"), a_scene)
    return reference, volume_to_node(replace(a_small_scan, name="FLAIR", frame_of_reference="3.4"), a_scene)


def test_the_scan_moves_as_the_matrix_says_and_its_own_voxels_and_geometry_stay(a_pair, a_small_scan):
    reference, moving = a_pair
    node = alignment_to_node(an_alignment(), moving, reference=reference)
    put_under(moving, node)

    there = node_to_volume(moving)
    expected = a_small_scan.grid.corners_lps() @ a_motion()[:3, :3].T + a_motion()[:3, 3]
    np.testing.assert_allclose(there.grid.corners_lps(), expected, atol=1e-5)
    np.testing.assert_array_equal(there.array, a_small_scan.array)

    put_under(moving, None)
    np.testing.assert_allclose(node_to_volume(moving).grid.corners_lps(), a_small_scan.grid.corners_lps(), atol=1e-5)


def test_it_is_in_the_frame_of_its_reference_and_says_how_well_it_fits(a_pair):
    reference, moving = a_pair
    assert alignment_of(moving) is None
    put_under(moving, alignment_to_node(an_alignment(), moving, reference=reference))
    assert frame_of_reference_of(moving) == "1.2"
    assert alignment_of(moving) == an_alignment()
    assert moving.GetParentTransformNode().GetName() == "FLAIR to T1"
    assert node_to_volume(moving).steps == (an_alignment().record(),)
    put_under(moving, None)
    assert (frame_of_reference_of(moving), node_to_volume(moving).steps) == ("3.4", ())


def test_a_transform_that_it_lies_under_already_is_kept(a_scene, a_pair, a_small_scan):
    reference, moving = a_pair
    shift = np.eye(4)
    shift[1, 3] = 40.0
    before = transform_to_node(shift, a_scene)
    put_under(moving, before)
    put_under(moving, alignment_to_node(an_alignment(), moving, reference=reference))

    together = a_motion() @ shift
    expected = a_small_scan.grid.corners_lps() @ together[:3, :3].T + together[:3, 3]
    np.testing.assert_allclose(node_to_volume(moving).grid.corners_lps(), expected, atol=1e-5)
    assert before.GetScene() is a_scene
    # The record holds for the scan as it was read, so that a later run puts it there again.
    again = moved(a_small_scan, alignment_of(moving), reference=node_to_volume(reference))
    np.testing.assert_allclose(again.grid.corners_lps(), expected, atol=1e-5)


def test_a_bent_scan_cannot_be_aligned(a_scene, a_pair):
    reference, moving = a_pair
    put_under(moving, a_scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "bent"))
    with pytest.raises(InputError, match="'bent' is not linear"):
        alignment_to_node(an_alignment(), moving, reference=reference)


def test_a_note_that_cannot_be_read_is_none(a_pair):
    reference, moving = a_pair
    node = alignment_to_node(an_alignment(), moving, reference=reference)
    put_under(moving, node)
    node.SetAttribute("MedSegAI.Alignment", '{"some": "thing"}')
    assert alignment_of(moving) is None
