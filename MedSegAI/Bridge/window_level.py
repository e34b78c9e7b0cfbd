"""The window through which a scan is shown: which values are black, which white."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer

_SAMPLES = 300_000
_ENDS = (0.1, 99.9)


@dataclass(frozen=True)
class Window:
    """Values from ``level - width / 2`` (black) to ``level + width / 2`` (white), in the unit of the scan."""

    width: float
    level: float


def window_of_voxels(array: np.ndarray) -> Window:
    """The window that Slicer would choose, from a sample of the voxels: looking at all takes long in a large scan.

    Args:
        array: Voxels (k, j, i), any real dtype, without NaN.

    Returns:
        From the 0.1th to the 99.9th percentile, as Slicer takes it; never of width 0.
    """
    step = max(1, round((array.size / _SAMPLES) ** (1 / 3)))
    low, high = (float(value) for value in np.percentile(array[::step, ::step, ::step], _ENDS))
    return Window(max(high - low, 1e-6), (low + high) / 2)


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
