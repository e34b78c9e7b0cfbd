"""What lies in a DICOM folder is found, named and judged; one bad file does not hide the others."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.dicom.read_series import read_found_series
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from Testing.synthetic_series import a_pattern, write_series


@pytest.fixture
def two_series(tmp_path):
    folder = tmp_path / "study"
    write_series(folder / "a" / "deep", a_pattern(), modality="MR", intercept=0, number=4)
    write_series(folder / "b", a_pattern((5, 16, 16)), number=2)
    (folder / "readme.txt").write_text("not DICOM")
    return folder


def test_every_series_is_found_with_what_a_person_recognises_it_by(two_series):
    ct, mr = find_series(two_series)
    assert (ct.number, ct.modality, ct.description, ct.body_part) == (2, "CT", "Synthetic CT", "HEAD")
    assert (ct.patient, ct.study, ct.study_date) == ("Doe Jane (P-17)", "Synthetic study", "2026-03-31")
    assert (ct.file_count, ct.frame_count, ct.size, ct.spacing) == (5, 5, (16, 16, 5), (0.8, 0.7, 2.5))
    assert (mr.number, mr.size, mr.problem, mr.notes, mr.usable) == (4, (24, 32, 6), "", (), True)
    assert ct.frame_of_reference == mr.frame_of_reference != ""


def test_real_series_are_found(data_folder):
    found = find_series(data_folder / "tcia_brain_dicom")
    assert [one.description for one in found if one.usable] == [
        "T1post",
        "T1pre_reg",
        "FLAIR_reg",
        "T2_reg",
        "HippoCrop",
    ]
    assert found[0].size == (512, 512, 22)


def test_size_and_spacing_are_those_of_the_volume_that_is_read(two_series):
    for found in find_series(two_series):
        volume = read_found_series(found)
        assert (volume.grid.size, volume.grid.spacing) == (found.size, found.spacing)
        assert volume.frame_of_reference == found.frame_of_reference
        assert np.array_equal(volume.array, read_volume(two_series, series=found.uid).array)


def test_the_patient_stays_out_of_what_is_logged(two_series):
    found = find_series(two_series)
    assert "Doe" not in repr(found) and "P-17" not in repr(found)
    assert found[0].to_plain()["patient"] == "Doe Jane (P-17)"


def test_a_list_of_files_is_a_source_too(two_series):
    files = sorted((two_series / "b").iterdir())
    (found,) = find_series(files)
    assert found.files == tuple(files)
    (found, _) = find_series([two_series / "b", two_series / "a"])
    assert found.files == tuple(files)


def test_a_damaged_file_is_named_and_the_others_are_found(two_series):
    broken = two_series / "b" / "broken.dcm"
    broken.write_bytes((two_series / "b" / "000.dcm").read_bytes()[:150])
    *usable, damaged = find_series(two_series)
    assert [one.number for one in usable] == [2, 4]
    assert (damaged.uid, damaged.usable, damaged.files) == ("", False, (broken,))
    assert "'broken.dcm'" in damaged.problem


def test_a_damaged_file_beside_the_slices_is_no_reason_to_read_fewer_slices(two_series):
    (two_series / "b" / "004.dcm").write_bytes((two_series / "b" / "004.dcm").read_bytes()[:150])
    with pytest.raises(InputError, match=r"'004\.dcm' beside the slices is a damaged DICOM file, or may not be read"):
        read_volume(two_series / "b")
    assert read_volume(two_series, series="Synthetic MR").grid.size == (24, 32, 6)


def test_a_series_that_cannot_be_read_says_why(two_series):
    (two_series / "b" / "002.dcm").unlink()
    usable, broken = find_series(two_series)
    assert usable.modality == "MR"
    assert "A slice is missing in the series 'Synthetic CT' between '001.dcm' and '003.dcm'" in broken.problem
    assert (broken.size, broken.file_count) == (None, 4)


def test_pixels_that_are_cut_short_are_seen_without_reading_them(two_series):
    path = two_series / "b" / "003.dcm"
    path.write_bytes(path.read_bytes()[:-100])
    found = find_series(two_series)[-1]
    assert "The pixels of '003.dcm' are cut short." in found.problem


def test_reports_and_pictures_are_listed_as_what_they_are(data_folder):
    found = find_series(data_folder / "dicom" / "dcmqi" / "sr-example")
    assert {(one.modality, one.usable) for one in found} == {("SR", False), ("SEG", False), ("RWV", False)}
    assert any("is a DICOM file but not an image (SR)" in one.problem for one in found)


def test_a_dicomdir_stands_for_its_folder(two_series):
    (two_series / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    assert [one.number for one in find_series(two_series / "DICOMDIR")] == [2, 4]
    assert read_volume(two_series / "DICOMDIR", series="Synthetic CT").grid.size == (16, 16, 5)


def zipped(folder, path):
    shutil.make_archive(str(path.with_suffix("")), "zip", folder)
    return path


def test_a_zip_is_looked_through_and_leaves_nothing_behind(two_series, tmp_path, monkeypatch):
    archive = zipped(two_series, tmp_path / "study.zip")
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    ct, mr = find_series(archive)
    assert ct.files == mr.files == (archive,)
    assert ct.file_count == 5
    assert read_volume(archive, series=ct.uid).grid.size == ct.size
    assert np.array_equal(read_found_series(mr).array, a_pattern())
    assert list(room.iterdir()) == []


def test_a_zip_can_be_unpacked_for_keeps(two_series, tmp_path):
    archive = zipped(two_series, tmp_path / "study.zip")
    ct, _ = find_series(archive, unpack_into=tmp_path / "kept")
    assert all(path.is_relative_to(tmp_path / "kept") for path in ct.files)
    assert read_found_series(ct).grid.size == ct.size


def test_a_sentence_about_a_zip_names_the_zip(two_series, tmp_path):
    archive = zipped(two_series, tmp_path / "study.zip")
    with pytest.raises(InputError) as caught:
        read_volume(archive)
    assert caught.value.problem.startswith(f"'{archive}' holds 2 DICOM series")
    assert "medsegai-private" not in str(caught.value)


def test_a_zip_without_dicom_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes.txt", "hello")
    assert find_series(tmp_path / "a.zip") == ()
    with pytest.raises(InputError, match="holds no DICOM images"):
        read_volume(tmp_path / "a.zip")


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="no file or folder"):
        find_series(tmp_path / "nowhere")


def test_files_that_changed_since_they_were_found_are_refused(two_series):
    ct, mr = find_series(two_series)
    (two_series / "b" / "004.dcm").unlink()
    with pytest.raises(InputError, match="'Synthetic CT' are not those that were found"):
        read_found_series(ct)
    shutil.rmtree(two_series / "a")
    with pytest.raises(InputError, match="are not those that were found"):
        read_found_series(mr)


def test_a_series_with_a_problem_is_refused_with_it(two_series):
    (two_series / "b" / "002.dcm").unlink()
    with pytest.raises(InputError, match="A slice is missing"):
        read_found_series(find_series(two_series)[1])


def test_an_address_is_no_path(tmp_path):
    with pytest.raises(InputError, match="is an address, and a scan is read from a file or folder"):
        read_volume("https://pacs.example/dicom-web/studies/1.2")


def test_looking_can_be_stopped(two_series):
    class Impatient(SilentReporter):
        def cancelled(self):
            return True

    with pytest.raises(Cancelled):
        find_series(two_series, reporter=Impatient())


def test_one_scan_beside_pictures_needs_no_choice(two_series):
    shutil.rmtree(two_series / "a")
    write_series(two_series / "scout", a_pattern((1, 16, 16)), number=9)
    assert [(one.number, one.usable) for one in find_series(two_series)] == [(2, True), (9, False)]
    assert read_volume(two_series).grid.size == (16, 16, 5)


def test_a_spacing_that_is_no_number_is_refused_with_the_file(two_series):
    path = two_series / "b" / "001.dcm"
    content = path.read_bytes()
    at = content.index(b"0.7\\0.8")
    path.write_bytes(content[:at] + b"abc\\0.8" + content[at + 7 :])
    assert find_series(two_series)[-1].problem.startswith("'001.dcm' does not say where its pixels lie")


def test_a_file_that_may_not_be_read_is_named_and_the_others_are_found(two_series, monkeypatch):
    locked = two_series / "b" / "locked.dcm"
    locked.write_bytes(b"")
    honest = Path.open

    def refuse(path, *arguments, **more):
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return honest(path, *arguments, **more)

    monkeypatch.setattr(Path, "open", refuse)
    *usable, damaged = find_series(two_series)
    assert len(usable) == 2
    assert damaged.files == (locked,)


@pytest.mark.parametrize("seed", range(30))
def test_damage_anywhere_in_a_header_is_met_with_a_sentence_or_not_at_all(tmp_path, seed):
    """Bytes of one file are overwritten at random: it is found or named, read or refused, and never a crash."""
    rng = np.random.default_rng(seed)
    paths = write_series(tmp_path / "series", a_pattern((3, 8, 8)))
    content = bytearray(paths[1].read_bytes())
    for at in rng.integers(132, len(content) - 128, size=4):
        content[at] = rng.integers(256)
    paths[1].write_bytes(content)
    found = find_series(tmp_path)
    assert sum(one.file_count for one in found) >= 2
    try:
        volume = read_volume(tmp_path)
        assert any(one.size == volume.grid.size for one in found)
    except InputError as error:
        assert error.problem.endswith(".")
