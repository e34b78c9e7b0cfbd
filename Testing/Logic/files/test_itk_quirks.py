"""ITK's own complaints stay off the terminal, and nothing else is lost or changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.itk_quirks import itk_made_quiet, stderr_kept_for_success

ROOT = Path(__file__).resolve().parents[3]
PERMISSIVE = "ITK_NIFTI_SFORM_PERMISSIVE"


@pytest.mark.parametrize("before", [None, "OFF"])
@pytest.mark.parametrize("shown", [True, False])
def test_itk_is_quiet_inside_and_as_before_outside(monkeypatch, before, shown):
    monkeypatch.delenv(PERMISSIVE, raising=False)
    if before:
        monkeypatch.setenv(PERMISSIVE, before)
    original = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(shown)
    try:
        with itk_made_quiet():
            assert not sitk.ProcessObject.GetGlobalWarningDisplay()
            assert os.environ[PERMISSIVE] == "ON"
        assert sitk.ProcessObject.GetGlobalWarningDisplay() is shown
        assert os.environ.get(PERMISSIVE) == before
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(original)


def test_stderr_is_shown_when_all_went_well(capfd):
    with stderr_kept_for_success():
        os.write(2, b"progress 3/5\n")
    assert capfd.readouterr().err == "progress 3/5\n"


def test_stderr_is_held_back_when_the_block_fails(capfd, caplog):
    caplog.set_level("DEBUG")
    with pytest.raises(ValueError), stderr_kept_for_success():
        os.write(2, b"** ERROR: NWAD\n")
        raise ValueError
    assert capfd.readouterr().err == ""
    assert "ITK said: ** ERROR: NWAD" in caplog.text


def test_a_program_without_stderr_can_write(tmp_path):
    script = (
        "import os, sys\n"
        "from MedSegAI.Logic.files.itk_quirks import stderr_kept_for_success\n"
        "os.close(2)\n"
        "with stderr_kept_for_success():\n    open(sys.argv[1], 'w').close()\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "done")], cwd=ROOT, check=True)
    assert (tmp_path / "done").exists()
