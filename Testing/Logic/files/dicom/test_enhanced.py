"""Enhanced CT and MR: many frames in one file, each with functional groups, in any order."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.dicom.open_planes import open_dicom_planes
from MedSegAI.Logic.files.dicom.read_series import read_found_series
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.volume import Unit
from Testing.synthetic_series import SAGITTAL, a_pattern, edit, write_enhanced

ARRAY = a_pattern((5, 12, 10))
PLACES = [(-10.0, -12.0, 30.0 + 2.5 * k) for k in range(5)]


def shuffled(order):
    return [ARRAY[k] for k in order], [PLACES[k] for k in order]


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)])
def test_frames_in_any_order_make_the_same_volume(tmp_path, order):
    frames, positions = shuffled(order)
    path = write_enhanced(tmp_path / "mr.dcm", frames, positions=positions)
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.array, ARRAY)
    np.testing.assert_allclose(volume.grid.origin, PLACES[0])
    assert volume.grid.spacing == pytest.approx((0.8, 0.7, 2.5))
    np.testing.assert_array_equal(open_dicom_planes(path).planes(1, 4), ARRAY[1:4])


def test_every_frame_is_rescaled_by_its_own_group(tmp_path):
    frames, positions = shuffled((2, 0, 4, 1, 3))
    rescale = [(1 + number / 4, -number) for number in range(5)]
    volume = read_volume(write_enhanced(tmp_path / "mr.dcm", frames, positions=positions, rescale=rescale))
    for number, k in enumerate((2, 0, 4, 1, 3)):
        np.testing.assert_allclose(volume.array[k], ARRAY[k] * (1 + number / 4) - number, rtol=1e-6)


def test_an_enhanced_ct_is_in_hounsfield_units(tmp_path):
    path = write_enhanced(tmp_path / "ct.dcm", list(ARRAY), positions=PLACES, modality="CT", rescale=[(1, -1024)] * 5)
    volume = read_volume(path)
    assert (volume.unit, volume.array.dtype) == (Unit.HOUNSFIELD, np.int16)
    np.testing.assert_array_equal(volume.array, ARRAY - 1024)


def test_time_points_in_one_file_are_offered_one_by_one(tmp_path):
    def say(groups, frame):
        groups.FrameContentSequence[0].TemporalPositionIndex = 1 + frame % 2

    frames = [plane + 7 * late for plane in ARRAY for late in (0, 1)]
    positions = [place for place in PLACES for _ in (0, 1)]
    path = write_enhanced(tmp_path / "mr.dcm", frames, positions=positions, say=say)
    with pytest.raises(InputError, match="holds 2 volumes in DICOM series"):
        read_volume(path)
    first, second = find_series(path)
    assert "(time point 1)" in first.description and second.frame_count == 5
    np.testing.assert_array_equal(read_volume(path, series=first.uid).array, ARRAY)
    np.testing.assert_array_equal(read_volume(path, series=second.uid).array, ARRAY + 7)
    np.testing.assert_array_equal(read_found_series(second).array, ARRAY + 7)


def test_stacks_of_different_directions_are_offered_one_by_one(tmp_path):
    """As an enhanced localiser, or two slabs along different axes, has them."""

    def say(groups, frame):
        groups.FrameContentSequence[0].StackID = "A" if frame < 5 else "B"
        if frame >= 5:
            import pydicom

            groups.PlaneOrientationSequence = [pydicom.Dataset()]
            groups.PlaneOrientationSequence[0].ImageOrientationPatient = [part for axis in SAGITTAL for part in axis]

    sideways = [(3.0 * k, 0.0, 0.0) for k in range(5)]
    path = write_enhanced(tmp_path / "mr.dcm", [*ARRAY, *ARRAY[::-1]], positions=[*PLACES, *sideways], say=say)
    first, second = find_series(path)
    assert "(stack A)" in first.description and "(stack B)" in second.description
    assert second.spacing == pytest.approx((0.8, 0.7, 3.0))
    np.testing.assert_array_equal(read_volume(path, series=first.uid).array, ARRAY)
    assert read_volume(path, series=second.uid).grid.direction_matrix[:, 0] == pytest.approx([0, 1, 0])


def test_frames_without_a_place_are_refused(tmp_path):
    path = write_enhanced(tmp_path / "mr.dcm", list(ARRAY), positions=PLACES)
    edit(path, PerFrameFunctionalGroupsSequence=None, ImagePositionPatient=[0, 0, 0])
    with pytest.raises(InputError, match="does not say where each of its 5 frames lies"):
        read_volume(path)


def test_fewer_groups_than_frames_are_refused(tmp_path):
    path = write_enhanced(tmp_path / "mr.dcm", list(ARRAY), positions=PLACES[:4])
    with pytest.raises(InputError, match="has 5 frames and says of 4 where they lie"):
        read_volume(path)


def test_a_missing_frame_is_named_by_its_neighbours(tmp_path):
    frames, positions = shuffled((0, 1, 3, 4))
    path = write_enhanced(tmp_path / "mr.dcm", frames, positions=positions)
    with pytest.raises(InputError, match=r"between 'mr\.dcm' \(frame 2\) and 'mr\.dcm' \(frame 3\)"):
        read_volume(path)
