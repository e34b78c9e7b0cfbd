"""The engines that are kept between jobs."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.inference.engines.engine_cache import keep
from MedSegAI.Logic.inference.engines.kinds import kind_of
from MedSegAI.Logic.inference.engines.parity import Parity
from MedSegAI.Logic.inference.engines.verdict import Verdict, place_of_verdict
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import DeviceChoice, EngineChoice, RunSettings
from MedSegAI.Logic.worker.warm_models import WarmModels
from Testing.small_model import small_model

MANY = 10_000


@pytest.fixture(scope="module")
def a_model(tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("models") / "small-model", seed=1)


@pytest.fixture
def checked(a_model, tmp_path, monkeypatch):
    """OpenVINO was found to be twice as fast."""
    kind = kind_of(EngineChoice.OPENVINO)
    if kind.version is None:
        pytest.skip("openvino is not installed")
    monkeypatch.setenv("MEDSEGAI_CACHE", str(tmp_path))
    verdict = Verdict(Parity(1.0, 0.0, 1.0), torch_seconds=1.0, engine_seconds=0.5)
    keep(place_of_verdict(kind, a_model), verdict.to_json().encode())


@pytest.fixture
def models():
    return WarmModels()


def engine_of(models, model, engine: str, *, device: str = "cpu", windows: int | None = None):
    settings = RunSettings(engine=engine, device=device)
    return models.engine(model, settings=settings, reporter=SilentReporter(), windows=windows)


def test_auto_and_torch_share_the_network_with_the_heat_map(models, a_model):
    automatic = engine_of(models, a_model, "auto")
    assert engine_of(models, a_model, "torch") is automatic
    assert engine_of(models, a_model, "torch", device="auto") is automatic
    assert models.torch_engine(a_model, device=DeviceChoice.CPU, reporter=SilentReporter()) is automatic


def test_auto_and_openvino_share_the_engine_and_torch_stays_beside_it(models, a_model, checked):
    asked_for = engine_of(models, a_model, "openvino")
    assert engine_of(models, a_model, "auto", windows=MANY) is asked_for
    few = engine_of(models, a_model, "auto", windows=1)
    assert few is not asked_for and few.name == "torch eager"
    assert engine_of(models, a_model, "openvino") is asked_for


def test_another_model_frees_all_engines_of_the_last(models, a_model):
    engine_of(models, a_model, "torch")
    other = find_model("lung-nodule-ct")
    models.engine(other, settings=RunSettings(device="cpu"), reporter=SilentReporter())
    assert len(models._engines) == 1
    models.forget()
    assert not models._engines
