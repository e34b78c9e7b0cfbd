"""Broken scans are made from real ones, so that only the fault differs."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume

SMALL_SERIES = "tcia_brain_dicom/Study1/13_HCropVolume"


@pytest.fixture
def a_crop(hippocampus_crops):
    """The path of a real .nii.gz of 8-bit voxels."""
    return hippocampus_crops[0].image


@pytest.fixture
def a_series(data_folder, tmp_path):
    """A copy of a real MR series of 32 slices, 1 mm apart; returns its folder and its files in slice order."""
    folder = tmp_path / "series"
    shutil.copytree(data_folder / SMALL_SERIES, folder)
    headers = {path: pydicom.dcmread(path) for path in folder.iterdir()}
    return folder, sorted(headers, key=lambda path: float(headers[path].ImagePositionPatient[2]))


@pytest.fixture
def refused(capfd):
    """Read a path that must be refused; returns the error after checking that it is one sentence with advice."""

    def read(path, **arguments):
        capfd.readouterr()
        with pytest.raises(InputError) as caught:
            read_volume(path, **arguments)
        assert caught.value.problem.endswith(".")
        assert caught.value.advice.endswith((".", "pydicom"))
        assert "\n" not in str(caught.value)
        assert capfd.readouterr() == ("", ""), "the reader's own noise reached the terminal"
        return caught.value.problem

    return read


def checkerboard(shape, dtype=np.float32):
    return (np.indices(shape).sum(0) % 2).astype(dtype)
