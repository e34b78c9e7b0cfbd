"""``medsegai doctor``: everything that is needed, each with a state and advice."""

from __future__ import annotations

import importlib.util
import json

import pytest

from Testing.CommandLine.conftest import MODEL_NAME


def test_every_part_is_examined_with_its_state(medsegai):
    facts = json.loads(medsegai("doctor", "--json").out)
    states = {check["name"]: check["state"] for check in facts["checks"]}
    assert {"Python", "packages", "torch", "GPU", "memory", "Slicer core", "OpenGL"} <= set(states)
    assert states["torch"] == "ok"
    assert states[f"model {MODEL_NAME}"] == "ok"
    assert set(states.values()) <= {"ok", "warning", "missing"}
    assert all(check["advice"] for check in facts["checks"] if check["state"] == "missing")
    assert facts["healthy"] is True


def test_a_person_reads_a_line_for_each_and_the_conclusion(medsegai):
    shown = medsegai("doctor")
    assert shown.code == 0
    assert shown.out.endswith("Ready to segment.\n")
    assert "ok       Python" in shown.out


def test_without_a_usable_model_the_doctor_says_not_ready(medsegai, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDSEGAI_MODELS", str(tmp_path))
    monkeypatch.setattr("MedSegAI.Logic.models.registry.SHIPPED_MODELS", tmp_path)
    shown = medsegai("doctor")
    assert shown.code == 2
    assert "no usable model" in shown.out
    assert shown.out.endswith("mend what is missing above.\n")


def test_without_the_slicer_core_segmenting_still_works(medsegai, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "slicer" else found(name))
    shown = medsegai("doctor")
    assert shown.code == 0
    assert "not installed" in shown.out
    assert "pip install 'slicer-core" in shown.out


def test_without_gl_the_advice_names_what_to_install(medsegai, monkeypatch):
    graphics = pytest.importorskip("MedSegAI.Bridge.graphics", reason="the Slicer core is not installed")
    monkeypatch.setattr(graphics, "gl_state", lambda: graphics.GlState(False, "No OpenGL.", graphics.GL_ADVICE))
    shown = medsegai("doctor")
    assert shown.code == 0
    assert "libosmesa6" in shown.out


def test_a_slicer_core_that_fails_is_told(medsegai, monkeypatch):
    scene = pytest.importorskip("MedSegAI.Bridge.scene", reason="the Slicer core is not installed")

    def broken():
        raise RuntimeError("wrong version")

    monkeypatch.setattr(scene, "new_scene", broken)
    shown = medsegai("doctor")
    assert shown.code == 0
    assert "wrong version" in shown.out
