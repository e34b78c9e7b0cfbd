"""What VTK and MRML complain about, caught as text instead of being printed over the user's terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow, vtkStringOutputWindow


@contextmanager
def caught_vtk_messages() -> Iterator[Callable[[], str]]:
    """Catch VTK's warnings and errors for the length of the block; the yielded function returns them as one text.

    Meant for short spans such as reading or writing a scene, whose failure is then told in a sentence. The output
    window that was there before (Slicer's own log, for instance) is put back at the end.
    """
    before = vtkOutputWindow.GetInstance()
    catcher = vtkStringOutputWindow()
    vtkOutputWindow.SetInstance(catcher)
    # VTK prints every message through its logger as well.
    verbosity = vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    try:
        yield lambda: catcher.GetOutput().strip()
    finally:
        vtkLogger.SetStderrVerbosity(verbosity)
        vtkOutputWindow.SetInstance(before)
