"""Raters' masks come in as files and go out as files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.corrections.entry import Kind, Status
from MedSegAI.Logic.corrections.journal import read_journal
from MedSegAI.Logic.corrections.masks import import_mask, read_mask, write_mask
from MedSegAI.Logic.corrections.record import record_base, record_correction
from MedSegAI.Logic.corrections.replay import replay
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume
from Testing.Logic.corrections.conftest import ANNA, BENE, GRID, TABLE, painted, same, segmentation

SPOT = np.s_[0:2, 0:2, 0:3]


@pytest.fixture
def hers(base):
    return painted(base, SPOT, 2)


@pytest.mark.parametrize("ending", [".seg.nrrd", ".nii.gz", ".nrrd", ".mha"])
def test_a_mask_that_was_written_comes_back_as_a_correction_of_the_same_voxels(case, base, hers, tmp_path, ending):
    record_base(case, base)
    write_mask(tmp_path / f"mask{ending}", hers)
    entry = import_mask(case, read_mask(tmp_path / f"mask{ending}"), rater=ANNA, comment="by hand")
    journal = read_journal(case)
    assert (entry.number, entry.parent, entry.status, entry.comment) == (2, 1, Status.FINAL, "by hand")
    assert entry.box.shape == (2, 2, 3)
    assert same(replay(journal, rater="Anna"), hers)
    assert list(replay(journal, rater="Anna").table) == list(TABLE)
    assert import_mask(case, read_mask(tmp_path / f"mask{ending}"), rater=ANNA) is None


def test_a_part_of_the_grid_as_slicer_saves_it_is_enough(case, base, hers, tmp_path):
    record_base(case, base)
    write_mask(tmp_path / "mask.seg.nrrd", hers)
    image = sitk.ReadImage(str(tmp_path / "mask.seg.nrrd"))
    cut = image[0:7, 0:6, 0:5]
    for key in image.GetMetaDataKeys():
        cut.SetMetaData(key, image.GetMetaData(key))
    sitk.WriteImage(cut, str(tmp_path / "cut.seg.nrrd"))
    import_mask(case, read_mask(tmp_path / "cut.seg.nrrd"), rater=ANNA)
    assert same(replay(read_journal(case), rater="Anna"), hers)


def test_a_plain_map_of_another_shape_is_refused_although_its_voxels_coincide(case, base, hers, tmp_path):
    """Crops of different heads often have one origin and spacing, so shape is all that tells them apart."""
    record_base(case, base)
    write_mask(tmp_path / "whole.nii.gz", hers)
    sitk.WriteImage(sitk.ReadImage(str(tmp_path / "whole.nii.gz"))[0:9, :, :], str(tmp_path / "cut.nii.gz"))
    with pytest.raises(InputError, match=r"has \(6, 8, 10\) voxels \(k, j, i\), these have \(6, 8, 9\)"):
        import_mask(case, read_mask(tmp_path / "cut.nii.gz"), rater=ANNA)


def test_the_next_mask_of_the_same_rater_continues_the_one_before(case, base, hers):
    record_base(case, base)
    import_mask(case, hers, rater=ANNA)
    entry = import_mask(case, painted(hers, np.s_[5:6, 0:1, 0:1], 1), rater=ANNA)
    assert (entry.parent, entry.box.shape) == (2, (1, 1, 1))
    assert import_mask(case, hers, rater=BENE).parent == 1


def test_a_case_without_a_result_begins_with_nothing_and_the_rater_drew_it_all(case, hers):
    entry = import_mask(case, hers, rater=ANNA)
    first = read_journal(case).entries[0]
    assert (first.kind, first.box, entry.parent) == (Kind.BASE, None, 1)
    assert same(replay(read_journal(case), rater="Anna"), hers)


def test_a_case_may_begin_with_the_result_that_the_rater_started_from(case, base, hers):
    entry = import_mask(case, hers, rater=ANNA, base=base)
    assert entry.box.shape == (2, 2, 3)
    assert entry.origin.model == "hippocampus-mr"


def test_a_journal_without_an_entry_yet_counts_as_a_new_case(case, hers):
    case.mkdir()
    (case / "journal.jsonl").touch()
    assert import_mask(case, hers, rater=ANNA).number == 2


def test_labels_are_recognised_by_key_by_name_and_in_a_plain_map_by_value(case, base):
    record_base(case, base)
    named = LabelTable((Label(9, "x1", "POSTERIOR PART", (0, 0, 0)), Label(4, "anterior", "Front", (0, 0, 0))))
    array = np.zeros(GRID.shape, np.uint8)
    array[0, 0, 0], array[0, 0, 1] = 9, 4
    import_mask(case, segmentation(array, named), rater=ANNA)
    found = replay(read_journal(case), rater="Anna").labels.array
    assert (found[0, 0, 0], found[0, 0, 1], np.count_nonzero(found)) == (2, 1, 2)


def test_a_label_that_the_case_does_not_have_is_refused(case, base, tmp_path):
    record_base(case, base)
    foreign = LabelTable((*TABLE, Label(3, "liver", "Liver", (0, 0, 0))))
    with pytest.raises(LabelError, match=r"a label 'Liver' \(3\) that the case does not have.*Anterior part \(1\)"):
        import_mask(case, painted(replace(base, table=foreign), SPOT, 3), rater=ANNA)
    write_mask(tmp_path / "plain.nii.gz", painted(replace(base, table=foreign), SPOT, 3))
    with pytest.raises(LabelError, match=r"'Label 3' \(3\) that the case does not have"):
        import_mask(case, read_mask(tmp_path / "plain.nii.gz"), rater=ANNA)
    twins = LabelTable((Label(1, "anterior", "A", (0, 0, 0)), Label(2, "b", "Anterior part", (0, 0, 0))))
    with pytest.raises(LabelError, match="two labels that are the case's 'Anterior part'"):
        import_mask(case, replace(base, table=twins), rater=ANNA)
    assert len(read_journal(case).entries) == 1


def test_a_mask_of_another_scan_is_refused(case, base):
    record_base(case, base)
    beside = Grid(GRID.shape, GRID.spacing, (10.1, -20.5, 30.25))
    with pytest.raises(InputError, match="does not lie on the case's grid"):
        import_mask(case, Segmentation(Volume(base.labels.array, beside), TABLE), rater=ANNA)


def test_a_mask_that_holds_fractions_is_refused(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.random.default_rng(0).random((4, 4, 4))), str(tmp_path / "soft.nii.gz"))
    with pytest.raises(InputError, match="is no label map"):
        read_mask(tmp_path / "soft.nii.gz")


@pytest.fixture(scope="module")
def dicom(data_folder):
    folder = data_folder / "dicom" / "dcmqi" / "segmentations"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


def test_a_dicom_segmentation_is_imported_and_a_corrected_one_written(case, dicom, tmp_path):
    pytest.importorskip("highdicom")
    import_mask(case, read_mask(dicom / "liver.dcm"), rater=ANNA)
    liver = replay(read_journal(case), rater="Anna")
    corrected = painted(liver, np.s_[0:2, 10:40, 10:40], 1)
    record_correction(case, liver, corrected, rater=BENE, status=Status.FINAL)
    write_mask(tmp_path / "bene.dcm", replay(read_journal(case)), source=dicom / "ct-3slice", rater="Bene")
    assert np.array_equal(read_mask(tmp_path / "bene.dcm").labels.array, corrected.labels.array)
    with pytest.raises(InputError, match="belongs to the DICOM series"):
        write_mask(tmp_path / "other.dcm", liver)
    assert not (tmp_path / "other.dcm").exists()


def test_a_mask_drawn_on_nifti_fits_a_case_that_was_read_from_dicom(case, dicom, tmp_path):
    """Converters turn an axis round; the voxels stay where they are."""
    liver = read_mask(dicom / "liver.dcm")
    record_base(case, liver)
    write_mask(tmp_path / "liver.nii.gz", liver)
    turned = sitk.Flip(sitk.ReadImage(str(tmp_path / "liver.nii.gz")), (False, True, False))
    sitk.WriteImage(turned, str(tmp_path / "turned.nii.gz"))
    assert import_mask(case, read_mask(tmp_path / "turned.nii.gz"), rater=ANNA).box is None
    assert read_volume(dicom / "ct-3slice").grid.same_frame(liver.labels.grid)
