"""What VTK and MRML complain about, caught as text instead of being printed over the user's terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vtkmodules.vtkCommonCore import vtkOutputWindow, vtkStringOutputWindow


@contextmanager
def caught_vtk_messages() -> Iterator[Callable[[], str]]:
    """Catch VTK's warnings and errors for the length of the block; the yielded function returns them as one text.

    Meant for short spans such as reading or writing a scene, whose failure is then told in a sentence. The output
    window that was there before (Slicer's own log, for instance) is put back at the end.
    """
    before = vtkOutputWindow.GetInstance()
    catcher = vtkStringOutputWindow()
    vtkOutputWindow.SetInstance(catcher)
    try:
        yield lambda: catcher.GetOutput().strip()
    finally:
        vtkOutputWindow.SetInstance(before)
