"""A zip is unpacked without trusting it."""

from __future__ import annotations

import stat
import zipfile

import pytest

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.files.dicom import unpack
from MedSegAI.Logic.files.dicom.unpack import is_zip, unpack_zip
from MedSegAI.Logic.reporter import SilentReporter


def a_zip(path, entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_sub_folders_are_kept_and_files_belong_to_the_user_alone(tmp_path):
    archive = a_zip(tmp_path / "a.zip", [("one.dcm", b"1"), ("deep/er/two.dcm", b"22"), ("empty/", b"")])
    folder = unpack_zip(archive, tmp_path / "out")
    assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == {
        "one.dcm": b"1",
        "deep/er/two.dcm": b"22",
    }
    assert stat.S_IMODE((folder / "one.dcm").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["../out.dcm", "a/../../out.dcm", "/etc/out.dcm", "..\\out.dcm", "C:/out.dcm"])
def test_a_name_outside_the_folder_is_refused_and_nothing_is_left(tmp_path, name):
    archive = a_zip(tmp_path / "a.zip", [("fine.dcm", b"1"), (name, b"2")])
    with pytest.raises(InputError, match="outside its own folder"):
        unpack_zip(archive, tmp_path / "room" / "out")
    assert list((tmp_path / "room").iterdir()) == []


def test_links_are_passed_over(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = a_zip(tmp_path / "a.zip", [(link, "/etc/passwd"), ("fine.dcm", b"1")])
    folder = unpack_zip(archive, tmp_path / "out")
    assert [path.name for path in folder.iterdir()] == ["fine.dcm"]


def test_too_many_files_and_too_many_bytes_are_refused(tmp_path, monkeypatch):
    archive = a_zip(tmp_path / "a.zip", [(f"{number}", bytes(50)) for number in range(4)])
    monkeypatch.setattr(unpack, "MOST_BYTES", 149)
    with pytest.raises(InputError, match="larger than can be unpacked"):
        unpack_zip(archive, tmp_path / "out")
    monkeypatch.setattr(unpack, "MOST_FILES", 3)
    with pytest.raises(InputError, match="holds 4 files"):
        unpack_zip(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_there_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        archive = a_zip(tmp_path / "a.zip", [("one", b"1"), ("one", b"2")])
    with pytest.raises(InputError, match="holds the file 'one' twice"):
        unpack_zip(archive, tmp_path / "out")


def test_a_damaged_and_an_encrypted_zip_are_refused(tmp_path):
    archive = a_zip(tmp_path / "a.zip", [("one", b"hello " * 50)])
    content = bytearray(archive.read_bytes())
    content[40:50] = bytes(10)
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(content)
    with pytest.raises(InputError, match="is a damaged zip file"):
        unpack_zip(damaged, tmp_path / "out")
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    locked = tmp_path / "locked.zip"
    locked.write_bytes(content)
    with pytest.raises(InputError, match="is encrypted"):
        unpack_zip(locked, tmp_path / "out")
    assert is_zip(locked) and not is_zip(tmp_path)


def test_unpacking_can_be_stopped(tmp_path):
    class Impatient(SilentReporter):
        def cancelled(self):
            return True

    with pytest.raises(Cancelled):
        unpack_zip(a_zip(tmp_path / "a.zip", [("one", b"1")]), tmp_path / "out", reporter=Impatient())
    assert not (tmp_path / "out").exists()


def test_a_zip_that_grows_without_measure_is_refused_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "ALWAYS_UNPACKED_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.dcm", bytes(4 << 20))
    with pytest.raises(InputError, match="larger than can be unpacked"):
        unpack_zip(tmp_path / "bomb.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_zip_without_its_end_is_still_told_to_be_a_damaged_zip(tmp_path):
    archive = a_zip(tmp_path / "a.zip", [("one.dcm", bytes(1000))])
    archive.write_bytes(archive.read_bytes()[:600])
    assert is_zip(archive)
    with pytest.raises(InputError, match="damaged zip"):
        unpack_zip(archive, tmp_path / "out")
