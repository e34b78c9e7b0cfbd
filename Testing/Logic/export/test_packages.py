"""A missing package is told with the line that installs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from MedSegAI.Logic.errors import DependencyError
from MedSegAI.Logic.export.packages import needed


def test_what_is_installed_is_imported():
    assert needed("json") is json


def test_what_is_missing_is_told_with_the_line_that_installs_it():
    with pytest.raises(DependencyError, match="no_such_package") as refused:
        needed("no_such_package")
    assert "pip install onnx onnxscript onnxruntime" in refused.value.advice


def test_onnx_runtime_makes_nothing_to_know_this_computer_by(tmp_path):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    code = "from MedSegAI.Logic.export.packages import needed; print(needed('onnxruntime').__name__)"
    own = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    env = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | own
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stdout.strip() == "onnxruntime", done.stderr
    assert list(tmp_path.iterdir()) == []
