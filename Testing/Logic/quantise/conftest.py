"""One 8-bit form of the shipped model, made once for all tests: it takes some seconds."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from MedSegAI.CommandLine.main import main
from MedSegAI.Logic.inference.engines.int8_record import Int8Model, find_int8
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, Model, read_model


@pytest.fixture(scope="session")
def a_split(hippocampus_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One case to calibrate with, another to measure on."""
    names = json.loads((hippocampus_folder / "split.json").read_text())
    path = tmp_path_factory.mktemp("split") / "split.json"
    path.write_text(json.dumps({"train": names["train"][:1], "val": names["val"][:1], "same": names["val"][:1]}))
    return path


@pytest.fixture(scope="session")
def own_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The shipped model as a user's own."""
    folder = tmp_path_factory.mktemp("models") / "hippocampus-mr"
    return read_model(Path(shutil.copytree(SHIPPED_MODELS / "hippocampus-mr", folder)))


@dataclass(frozen=True)
class ByCommand:
    """What a person sees who makes an 8-bit form, and what was made."""

    out: str
    made: Int8Model


@pytest.fixture(scope="session")
def by_command(own_model: Model, hippocampus_folder: Path, a_split: Path) -> ByCommand:
    """Made with few windows and measured on one case, so with a large drop allowed."""
    pytest.importorskip("nncf", reason="NNCF is not installed")
    data = ["--dataset", str(hippocampus_folder), "--split", str(a_split)]
    few = ["--cases", "1", "--windows", "2", "--largest-drop", "0.05"]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["models", "quantise", str(own_model.folder), *data, *few]) == 0
    return ByCommand(out.getvalue(), find_int8(own_model))


@pytest.fixture(scope="session")
def quantised(by_command: ByCommand) -> Int8Model:
    return by_command.made
