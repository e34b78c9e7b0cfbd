"""A small model, and cache folders of the tests' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from MedSegAI.Logic.inference.engines import openvino_engine
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.engine_cache import keep
from MedSegAI.Logic.inference.engines.kinds import EngineKind, kind_of
from MedSegAI.Logic.inference.engines.openvino_engine import cpu_properties, place_of_network
from MedSegAI.Logic.inference.engines.quiet_openvino import without_telemetry
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.settings import EngineChoice
from Testing.small_model import small_model


@pytest.fixture(scope="session")
def a_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return small_model(tmp_path_factory.mktemp("models") / "small-model", seed=0)


@pytest.fixture(scope="session")
def built(a_model: Model) -> bytes:
    """The small model as OpenVINO compiled and wrote it; that takes seconds."""
    pytest.importorskip("openvino", reason="openvino is not installed")
    core = without_telemetry("openvino").Core()
    compiled = openvino_engine._built(core, a_model, EagerEngine(load_network(a_model)), cpu_properties())
    return compiled.export_model().getvalue()


@pytest.fixture
def warm_cache(empty_cache: Path, a_model: Model, built: bytes) -> Path:
    """A cache folder that holds the built engine, and no verdict."""
    keep(place_of_network(a_model), built)
    return empty_cache


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDSEGAI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def openvino_kind() -> EngineKind:
    kind = kind_of(EngineChoice.OPENVINO)
    if kind.version is None:
        pytest.skip("openvino is not installed")
    return kind
