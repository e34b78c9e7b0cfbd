"""The checks behind ``medsegai doctor``."""

from __future__ import annotations

import builtins
import dataclasses
import json
from importlib import metadata

import pytest

from MedSegAI.Logic import doctor
from MedSegAI.Logic.doctor import Check, State, examine, healthy
from MedSegAI.Logic.inference.engines import kinds
from MedSegAI.Logic.inference.engines.kinds import engine_kinds


def test_a_check_that_fails_unexpectedly_is_a_warning_with_the_reason(monkeypatch):
    def check_memory():
        raise OSError("no /proc")

    monkeypatch.setattr(doctor, "check_memory", check_memory)
    (memory,) = [check for check in examine() if check.name == "memory"]
    assert memory.state is State.WARNING
    assert "no /proc" in memory.found


def test_what_the_bridge_found_is_shown_before_the_models():
    mine = Check("OpenGL", State.OK, "works")
    names = [check.name for check in examine(of_bridge=(mine,))]
    assert names.index("OpenGL") < min(i for i, name in enumerate(names) if name.startswith("model"))


def test_the_engines_are_listed_with_their_versions():
    check = doctor.check_engines()
    assert check.found.startswith(f"torch {metadata.version('torch')}")
    for kind in engine_kinds():
        assert f"{kind.title} {kind.version}" in check.found or f"not installed: {kind.title}" in check.found


def test_an_engine_for_the_cpu_that_is_not_installed_is_named_with_the_command(monkeypatch):
    monkeypatch.setattr(kinds, "_version_of", lambda package: None)
    check = doctor.check_engines()
    assert check.state is State.WARNING
    assert "not installed: OpenVINO" in check.found
    assert check.advice == "For more speed on the CPU: pip install openvino."


def test_an_engine_that_cannot_be_imported_is_a_warning(monkeypatch):
    monkeypatch.setattr(kinds, "without_telemetry", lambda package: 1 / 0)
    check = doctor.check_engines()
    if not any(kind.version for kind in engine_kinds()):
        pytest.skip("no engine is installed")
    assert check.state is State.WARNING
    assert "cannot be used (ZeroDivisionError: division by zero)" in check.found


def test_the_engines_that_were_built_are_told_with_place_and_size(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDSEGAI_CACHE", str(tmp_path))
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines" / "one").write_bytes(bytes(3 << 20))
    assert doctor.check_engine_cache().found == f"3 MiB in {tmp_path / 'engines'}; may be deleted at any time"


def test_a_cache_that_cannot_be_written_is_told(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MEDSEGAI_CACHE", str(tmp_path / "file"))
    check = doctor.check_engine_cache()
    assert check.state is State.WARNING
    assert "MEDSEGAI_CACHE" in check.advice


def test_an_old_python_is_missing(monkeypatch):
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (99, 1))
    check = doctor.check_python()
    assert check.state is State.MISSING
    assert "99.1" in check.advice
    assert not healthy([check])


def test_absent_packages_are_named_with_the_command_that_installs_them(monkeypatch):
    real = metadata.version

    def version(package):
        if package == "scipy":
            raise metadata.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(metadata, "version", version)
    check = doctor.check_packages()
    assert check.state is State.MISSING
    assert check.advice == "Install them: pip install scipy."


def test_a_torch_that_cannot_be_imported_is_missing(monkeypatch):
    real = builtins.__import__

    def refusing(name, *rest):
        if name == "torch":
            raise ImportError("libtorch_cpu.so is not there")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    check = doctor.check_torch()
    assert (check.state, check.essential) == (State.MISSING, True)
    assert "libtorch_cpu.so" in check.found


def test_a_torch_that_computes_wrongly_is_missing(monkeypatch):
    import torch

    monkeypatch.setattr(torch, "ones", torch.zeros)
    assert doctor.check_torch().state is State.MISSING


@pytest.mark.parametrize(("free", "state"), [(1 << 30, State.WARNING), (64 << 30, State.OK)])
def test_little_memory_is_a_warning(monkeypatch, free, state):
    monkeypatch.setattr("MedSegAI.Logic.inference.free_memory.free_memory", lambda: free)
    assert doctor.check_memory().state is state


def test_a_gpu_that_passes_its_test_is_ok_and_none_is_not_essential(monkeypatch):
    from MedSegAI.Logic.inference.device import GpuState

    monkeypatch.setattr("MedSegAI.Logic.inference.device.gpu_state", lambda: GpuState(True, "It passed."))
    assert doctor.check_gpu().state is State.OK
    monkeypatch.setattr(
        "MedSegAI.Logic.inference.device.gpu_state", lambda: GpuState(False, "None found.", "Use the CPU.")
    )
    assert doctor.check_gpu().state is State.MISSING
    assert healthy([doctor.check_gpu()])


def test_a_broken_model_is_a_warning_and_no_model_at_all_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr("MedSegAI.Logic.models.registry.SHIPPED_MODELS", tmp_path)
    monkeypatch.setenv("MEDSEGAI_MODELS", str(tmp_path / "absent"))
    (missing,) = doctor.check_models()
    assert (missing.state, missing.essential) == (State.MISSING, True)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "card.json").write_text("{")
    broken, missing = doctor.check_models()
    assert (broken.name, broken.state) == ("model broken", State.WARNING)
    assert not healthy([broken, missing])
    assert healthy([dataclasses.replace(missing, essential=False)])


@pytest.mark.parametrize(
    "check", [Check("torch", State.MISSING, "nö", "Do.", essential=True), Check("GPU", State.OK, "")]
)
def test_a_check_survives_as_json(check):
    assert Check.from_plain(json.loads(json.dumps(check.to_plain()))) == check
