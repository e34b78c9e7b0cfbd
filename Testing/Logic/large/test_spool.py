"""A compressed scan that is decoded once, into a file that nobody is left with."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.planes.volume_planes import VolumePlanes
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.large.spool import decoded_once
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.volume import Volume

SCAN = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), Grid((3, 4, 5)), name="scan")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reads an open file without a name")
def test_while_it_is_there_the_folder_shows_nothing_that_a_killed_program_could_leave(tmp_path):
    with decoded_once(VolumePlanes(SCAN), tmp_path, reporter=SilentReporter()) as decoded:
        assert list(tmp_path.iterdir()) == []
        np.testing.assert_array_equal(decoded.planes(0, 3), SCAN.array)
        np.testing.assert_array_equal(decoded.planes(1, 2), SCAN.array[1:2])


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    missing = tmp_path / "missing"
    with (
        pytest.raises(StorageError, match="could not be written"),
        decoded_once(VolumePlanes(SCAN), missing, reporter=SilentReporter()),
    ):
        pass
