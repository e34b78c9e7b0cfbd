"""Final corrections become labelled images that training reads as they are."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from MedSegAI.Logic.corrections.entry import Scan, Status
from MedSegAI.Logic.corrections.journal import read_journal
from MedSegAI.Logic.corrections.record import record_correction
from MedSegAI.Logic.corrections.scan_reference import scan_reference
from MedSegAI.Logic.corrections.training_set import export_training_set, final_corrections
from MedSegAI.Logic.errors import Cancelled, InputError, StorageError
from MedSegAI.Logic.files.decathlon import data_folder, read_case
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.files.write import write_volume
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training.config import DataConfig
from MedSegAI.Logic.training.data import load_cases
from MedSegAI.Logic.volume import Modality, Volume
from Testing.Logic.corrections.conftest import ANNA, BENE, GRID, TABLE, painted, segmentation

CONFIG = DataConfig(labels={1: "anterior", 2: "posterior"})
SPOT = np.s_[0:2, 0:2, 0:3]


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.nii.gz"
    values = np.random.default_rng(1).normal(100, 20, GRID.shape).astype(np.float32)
    write_volume(path, Volume(values, GRID, Modality.MR))
    return path


@pytest.fixture
def corrected(case, base, scan):
    """A case with a final word by Anna and a draft by Bene."""
    where = scan_reference(scan)
    record_correction(case, base, painted(base, SPOT, 1), rater=ANNA, status=Status.FINAL, scan=where)
    record_correction(case, base, painted(base, SPOT, 2), rater=BENE)
    return case


def export(corrections, output):
    return export_training_set(corrections, output, reporter=SilentReporter())


def test_the_final_word_becomes_a_pair_that_training_reads(corrected, base, scan, tmp_path):
    content = export(final_corrections([corrected]), tmp_path / "set")
    image, labels = read_case(data_folder(tmp_path / "set"), "case-1")
    assert np.array_equal(labels.array, painted(base, SPOT, 1).labels.array)
    assert np.array_equal(image.array, read_volume(scan).array)
    assert json.loads((tmp_path / "set" / "dataset.json").read_text()) == content
    assert content["labels"] == {"0": "background", "1": "anterior", "2": "posterior"}
    assert (content["name"], content["numTraining"], content["tensorImageSize"]) == ("set", 1, "3D")
    assert content["training"] == [{"image": "./imagesTr/case-1.nii.gz", "label": "./labelsTr/case-1.nii.gz"}]
    (origin,) = content["provenance"]
    entry = read_journal(corrected).entries[1]
    assert (origin["rater"], origin["role"], origin["entry"]) == ("Anna", "radiologist", 2)
    assert (origin["entry_hash"], origin["labels_digest"]) == (entry.hash, entry.result)
    assert (origin["model"], origin["scan_sha256"]) == ("hippocampus-mr", scan_reference(scan).sha256)


def test_each_rater_who_is_done_gives_a_pair_of_their_own(corrected, base, tmp_path):
    record_correction(corrected, base, base, rater=BENE, status=Status.FINAL)
    names = [one.name for one in final_corrections([corrected])]
    assert names == ["case-1-1-Anna", "case-1-2-Bene"]
    export(final_corrections([corrected]), tmp_path / "set")
    assert np.array_equal(read_case(tmp_path / "set", names[1])[1].array, base.labels.array)
    assert [one.name for one in final_corrections([corrected], rater="Bene")] == ["case-1"]


def test_cases_that_number_a_structure_differently_are_brought_to_one_numbering(corrected, base, scan, tmp_path):
    swapped = LabelTable(tuple(Label(3 - x.value, x.key, x.name, x.colour) for x in TABLE))
    other = segmentation(np.array([0, 2, 1], np.uint8)[base.labels.array], swapped)
    second = tmp_path / "case-2"
    record_correction(second, other, other, rater=ANNA, status=Status.FINAL, scan=scan_reference(scan))
    export(final_corrections([corrected, second]), tmp_path / "set")
    assert np.array_equal(read_case(tmp_path / "set", "case-2")[1].array, base.labels.array)


def test_labels_are_numbered_without_gaps_as_training_wants_them(case, base, scan, tmp_path):
    scar = LabelTable((*TABLE, Label(9, "scar", "Scar", (1, 1, 0))))
    after = segmentation(painted(base, SPOT, 9).labels.array, LabelTable(tuple(x for x in scar if x.value != 2)))
    after.labels.array[after.labels.array == 2] = 0
    record_correction(case, base, after, rater=ANNA, status=Status.FINAL, scan=scan_reference(scan))
    content = export(final_corrections([case]), tmp_path / "set")
    assert content["labels"] == {"0": "background", "1": "anterior", "2": "scar"}
    assert (read_case(tmp_path / "set", "case-1")[1].array[SPOT] == 2).all()


def test_training_loads_what_was_exported_from_a_real_case(hippocampus_crops, tmp_path):
    crop, case = hippocampus_crops[0], tmp_path / "real"
    expert = read_segmentation(crop.labels)
    record_correction(case, expert, expert, rater=ANNA, status=Status.FINAL, scan=scan_reference(crop.image))
    export(final_corrections([case]), tmp_path / "set")
    (loaded,) = load_cases(tmp_path / "set", ["real"], CONFIG)
    (original,) = load_cases(crop.labels.parents[1], [crop.name], CONFIG)
    assert np.array_equal(loaded.label, original.label)
    np.testing.assert_allclose(loaded.image, original.image, atol=1e-4)


def test_a_scan_can_be_given_where_the_journal_names_none(case, base, scan, tmp_path):
    record_correction(case, base, base, rater=ANNA, status=Status.FINAL)
    with pytest.raises(InputError, match="does not name the case's scan"):
        final_corrections([case])
    export(final_corrections([case], scan=scan), tmp_path / "set")
    assert read_case(tmp_path / "set", "case-1")
    with pytest.raises(InputError, match="One scan was given for several cases"):
        final_corrections([case, case], scan=scan)


def test_a_scan_that_moved_or_changed_is_refused(corrected, scan):
    scan.write_bytes(scan.read_bytes() + b"\0")
    with pytest.raises(InputError, match=r"is not the scan .* its content changed"):
        final_corrections([corrected])
    scan.unlink()
    with pytest.raises(InputError, match="is no longer at"):
        final_corrections([corrected])


def test_a_scan_on_another_grid_is_refused_and_nothing_is_left(case, base, hippocampus_crops, tmp_path):
    record_correction(case, base, base, rater=ANNA, status=Status.FINAL)
    with pytest.raises(InputError, match="does not lie on the grid of the case"):
        export(final_corrections([case], scan=hippocampus_crops[0].image), tmp_path / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["case-1"]


def test_nothing_final_or_two_cases_of_one_name_are_refused(case, base, scan, tmp_path, corrected):
    with pytest.raises(InputError, match="holds a final correction by 'Bene'"):
        final_corrections([corrected], rater="Bene")
    copy = shutil.copytree(corrected, tmp_path / "elsewhere" / "case-1")
    with pytest.raises(InputError, match="Two cases are called 'case-1'"):
        final_corrections([corrected, copy])


def test_a_folder_in_use_or_missing_is_refused_and_a_cancelled_export_leaves_nothing(corrected, tmp_path):
    class Impatient(SilentReporter):
        def cancelled(self) -> bool:
            return True

    found = final_corrections([corrected])
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    with pytest.raises(StorageError, match="not an empty folder"):
        export(found, tmp_path / "used")
    with pytest.raises(StorageError, match="could not be written"):
        export(found, tmp_path / "no" / "where")
    with pytest.raises(Cancelled):
        export_training_set(found, tmp_path / "set", reporter=Impatient())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case-1", "scan.nii.gz", "used"]


def test_a_folder_of_files_is_one_scan_whose_every_byte_and_name_counts(tmp_path):
    folder = tmp_path / "series"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "1.dcm").write_bytes(b"one")
    (folder / "2.dcm").write_bytes(b"two")
    whole = scan_reference(folder)
    assert whole == Scan(str(folder), whole.sha256)
    (folder / "2.dcm").rename(folder / "3.dcm")
    assert scan_reference(folder).sha256 != whole.sha256
    with pytest.raises(InputError, match="cannot be read"):
        scan_reference(tmp_path / "none")
