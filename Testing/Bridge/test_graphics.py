"""Whether pictures can be drawn is found out in another process, and said in a sentence."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest
import slicer

from MedSegAI.Bridge import graphics
from MedSegAI.Bridge.graphics import gl_state

LIBRARIES = ("libOSMesa.so", "libOSMesa.so.6", "libOSMesa.so.8", "libEGL.so", "libEGL.so.1", "libGL.so", "libGL.so.1")


@pytest.fixture
def a_machine_without_gl(tmp_path, monkeypatch):
    """Every OpenGL library is found broken, as far as a process started from here can see."""
    for name in LIBRARIES:
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    monkeypatch.setenv("VTK_DEFAULT_OPENGL_WINDOW", "vtkOSOpenGLRenderWindow")
    monkeypatch.delenv("DISPLAY", raising=False)
    graphics._probe.cache_clear()
    yield
    graphics._probe.cache_clear()


def test_the_state_is_a_sentence_with_advice_where_needed():
    state = gl_state()
    assert state.sentence.endswith(".")
    assert state.usable == (state.advice == "")


@pytest.mark.usefixtures("a_machine_without_gl")
def test_without_gl_the_state_says_what_to_install():
    state = gl_state()
    assert not state.usable
    assert "no usable OpenGL" in state.sentence
    assert "apt-get install -y libosmesa6" in state.advice


@pytest.mark.usefixtures("a_machine_without_gl")
def test_without_gl_a_picture_ends_in_a_sentence_and_not_in_a_crash(repository_root):
    script = """
        from MedSegAI.Bridge.render import slice_pictures
        from MedSegAI.Bridge.scene import new_scene
        from MedSegAI.Bridge.volume_nodes import volume_to_node
        from MedSegAI.Logic.errors import DependencyError
        from MedSegAI.Logic.geometry import Grid
        from MedSegAI.Logic.volume import Volume
        import numpy as np
        opened = new_scene()
        node = volume_to_node(Volume(np.zeros((4, 4, 4), np.uint8), Grid((4, 4, 4))), opened.mrml)
        before = opened.mrml.GetNumberOfNodes()
        try:
            slice_pictures(opened, node, (0, 0, 0))
        except DependencyError as error:
            print("SENTENCE", error, opened.mrml.GetNumberOfNodes() - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        cwd=repository_root,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("SENTENCE Pictures cannot be drawn")
    assert done.stdout.rstrip().endswith(" 0")


def test_inside_slicer_gl_is_taken_as_given(monkeypatch):
    graphics._probe.cache_clear()
    monkeypatch.setattr(slicer, "app", SimpleNamespace(layoutManager=None), raising=False)
    assert gl_state().sentence == "OpenGL works: 3D Slicer draws with it."
    graphics._probe.cache_clear()


def test_a_probe_that_cannot_start_is_told_in_a_sentence(monkeypatch):
    graphics._probe.cache_clear()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    state = gl_state()
    assert not state.usable
    assert "could not be tried out" in state.sentence
    graphics._probe.cache_clear()
