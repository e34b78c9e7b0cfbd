"""The window through which a scan is shown: which values are black, which white."""

from __future__ import annotations

from dataclasses import dataclass

import slicer


@dataclass(frozen=True)
class Window:
    """Values from ``level - width / 2`` (black) to ``level + width / 2`` (white), in the unit of the scan."""

    width: float
    level: float


def display_through(window: Window) -> slicer.vtkMRMLScalarVolumeDisplayNode:
    """A grey display through this window, not yet in a scene: the voxels need not be searched for one."""
    display = slicer.vtkMRMLScalarVolumeDisplayNode()
    display.SetDefaultColorMap()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(window.width, window.level)
    return display


def set_window(node: slicer.vtkMRMLScalarVolumeNode, window: Window) -> None:
    """Show a scan through this window; Slicer chooses none by itself afterwards."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    was_modifying = display.StartModify()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(window.width, window.level)
    display.EndModify(was_modifying)


def window_of(node: slicer.vtkMRMLScalarVolumeNode) -> Window | None:
    """The window through which a scan is shown; None where it has never been shown."""
    display = node.GetDisplayNode()
    return None if display is None else Window(display.GetWindow(), display.GetLevel())


def reset_window(node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Let Slicer choose a window by looking at the voxels, as it did when the scan was first shown."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetAutoWindowLevel(True)
