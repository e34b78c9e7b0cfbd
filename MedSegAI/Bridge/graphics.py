"""Whether pictures can be drawn here: OpenGL, found out without risking this process."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from dataclasses import dataclass

from MedSegAI.Logic.errors import DependencyError

GL_ADVICE = (
    "Install a software OpenGL: 'sudo apt-get install -y libosmesa6' on Debian and Ubuntu (or libegl1 with "
    "libgl1-mesa-dri and VTK_DEFAULT_OPENGL_WINDOW=vtkEGLRenderWindow)."
)

_PROBE_SECONDS = 60

# VTK ends the process with a segmentation fault where it finds no OpenGL, so the trial is made in another one.
_PROBE = """
from vtkmodules.vtkRenderingCore import vtkRenderWindow
import vtkmodules.vtkRenderingOpenGL2
window = vtkRenderWindow()
window.SetOffScreenRendering(1)
window.SetMultiSamples(0)
window.SetSize(16, 16)
window.Render()
lines = [line for line in window.ReportCapabilities().splitlines() if "renderer string" in line]
print("GL:" + (lines[0].partition(":")[2].strip() if lines else window.GetClassName()))
"""


@dataclass(frozen=True)
class GlState:
    """What was found out about OpenGL.

    Args:
        usable: Whether pictures can be drawn.
        sentence: What there is, as a sentence.
        advice: What to do about it; empty where usable.
    """

    usable: bool
    sentence: str
    advice: str = ""


def gl_state() -> GlState:
    """Whether off-screen pictures can be drawn with the present environment; asked once a process and environment."""
    return _probe(os.environ.get("VTK_DEFAULT_OPENGL_WINDOW", ""), os.environ.get("DISPLAY", ""))


def require_gl() -> None:
    """Do nothing where pictures can be drawn.

    Raises:
        DependencyError: where they cannot; the advice names what to install.
    """
    state = gl_state()
    if not state.usable:
        raise DependencyError(state.sentence, advice=state.advice)


@functools.cache
def _probe(window_class: str, display: str) -> GlState:
    # The application draws its own views, so there it works; its sys.executable is no plain Python to try with.
    if hasattr(getattr(sys.modules.get("slicer"), "app", None), "layoutManager"):
        return GlState(True, "OpenGL works: 3D Slicer draws with it.")
    try:
        trial = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return GlState(False, f"OpenGL could not be tried out: {error}.", GL_ADVICE)
    found = [line[3:] for line in trial.stdout.splitlines() if line.startswith("GL:")]
    if trial.returncode == 0 and found:
        return GlState(True, f"OpenGL works: {found[-1]}.")
    return GlState(False, "Pictures cannot be drawn: no usable OpenGL was found.", GL_ADVICE)
