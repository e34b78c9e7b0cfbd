"""A command started with closed standard streams does its work and writes its files."""

from __future__ import annotations

import subprocess
import sys

import pytest

from MedSegAI.Logic.files.read_segmentation import read_segmentation
from Testing.CommandLine.conftest import MODEL_NAME, REPOSITORY_ROOT


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_without_standard_streams_does_its_work(crop, tmp_path, closed):
    output = tmp_path / "out.seg.nrrd"
    command = [sys.executable, "-m", "MedSegAI.CommandLine", "segment", crop, "-o", output, "--model", MODEL_NAME]
    script = f'cd "{REPOSITORY_ROOT}"; OMP_NUM_THREADS=1 "$@" {closed}; echo "code $?"'
    shell = ["sh", "-c", script, "sh", *map(str, command)]
    done = subprocess.run(shell, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "code 0", done.stdout + done.stderr
    assert read_segmentation(output).provenance.model == MODEL_NAME
    assert [path.name for path in tmp_path.iterdir()] == ["out.seg.nrrd"]
