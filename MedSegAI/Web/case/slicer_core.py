"""Slicer's core for one case: trame-slicer's application, and its scene as the bridge and the session take it."""

from __future__ import annotations

from trame_slicer.core import SlicerApp

from MedSegAI.Bridge.graphics import require_gl
from MedSegAI.Bridge.scene import OpenScene, adopt_scene
from MedSegAI.Bridge.vtk_messages import caught_vtk_messages


def start_slicer_core() -> SlicerApp:
    """A new scene with Slicer's module logics, view manager and segment editor.

    Raises:
        DependencyError: where nothing can be drawn, for want of an OpenGL library.
    """
    require_gl()
    # It looks for colour files of the desktop application, which there are none of here, and complains.
    with caught_vtk_messages():
        return SlicerApp()


def open_scene_of(core: SlicerApp) -> OpenScene:
    """The application's scene with every module logic that the bridge needs."""
    with caught_vtk_messages():
        return adopt_scene(core.scene, core.app_logic)
