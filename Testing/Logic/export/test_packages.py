"""A missing package is told with the line that installs it."""

from __future__ import annotations

import json

import pytest

from MedSegAI.Logic.errors import DependencyError
from MedSegAI.Logic.export.packages import needed


def test_what_is_installed_is_imported():
    assert needed("json") is json


def test_what_is_missing_is_told_with_the_line_that_installs_it():
    with pytest.raises(DependencyError, match="no_such_package") as refused:
        needed("no_such_package")
    assert "pip install onnx onnxscript onnxruntime" in refused.value.advice
