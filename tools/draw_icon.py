"""Draw the module's icon: a brain slice, both hippocampi as segments, a Grad-CAM++ glow over one of them."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Ellipse, FancyBboxPatch

ICON = Path(__file__).resolve().parents[1] / "MedSegAI" / "Resources" / "Icons" / "MedSegAI.png"
PIXELS = 128
NIGHT, SKULL, BRAIN, FOLD = "#12233a", "#c9d6e6", "#8aa0bb", "#63799a"
ANTERIOR, POSTERIOR = "#ffb000", "#2fd2c3"
GLOW = LinearSegmentedColormap.from_list("glow", [(1, 0.25, 0.1, 0), (1, 0.35, 0.1, 0.75), (1, 0.85, 0.3, 1)])


def draw_icon(path: Path) -> None:
    """Write the icon as a PNG of 128 x 128 pixels with a transparent surrounding."""
    figure = pyplot.figure(figsize=(1, 1), dpi=PIXELS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    _draw_head(axes)
    _draw_glow(axes, centre=(0.33, 0.50), radius=0.22)
    for side in (-1, 1):
        _draw_hippocampus(axes, side)
    figure.savefig(path, dpi=PIXELS, transparent=True)
    pyplot.close(figure)


def _draw_head(axes: Axes) -> None:
    tile = FancyBboxPatch((0.07, 0.07), 0.86, 0.86, boxstyle="round,pad=0.05,rounding_size=0.17", color=NIGHT, lw=0)
    axes.add_patch(tile)
    axes.add_patch(Ellipse((0.5, 0.5), 0.74, 0.88, fc="none", ec=SKULL, lw=2.2))
    axes.add_patch(Ellipse((0.5, 0.5), 0.62, 0.76, fc=BRAIN, ec="none"))
    axes.plot([0.5, 0.5], [0.14, 0.86], color=FOLD, lw=1.6, solid_capstyle="round")
    height = np.linspace(0, 1, 60)
    for side in (-1, 1):
        for offset, low, high in ((0.115, 0.58, 0.80), (0.215, 0.55, 0.72), (0.13, 0.17, 0.27)):
            x = 0.5 + side * (offset + 0.022 * np.sin(height * 3 * np.pi))
            axes.plot(x, low + (high - low) * height, color=FOLD, lw=1.5, solid_capstyle="round")


def _draw_glow(axes: Axes, *, centre: tuple[float, float], radius: float) -> None:
    y, x = np.mgrid[0:1:256j, 0:1:256j]
    heat = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * (radius / 2) ** 2))
    axes.imshow(heat, cmap=GLOW, extent=(0, 1, 0, 1), origin="lower", vmin=0.05, vmax=1.0, zorder=3)


def _draw_hippocampus(axes: Axes, side: int) -> None:
    angle = np.linspace(-0.35 * np.pi, 0.45 * np.pi, 80)
    x = 0.5 + side * (0.075 + 0.125 * np.cos(angle))
    y = 0.42 + 0.135 * np.sin(angle)
    tail, head = slice(None, 46), slice(44, None)
    for part in (tail, head):
        axes.plot(x[part], y[part], color="white", lw=7.6, solid_capstyle="round", zorder=4)
    for part, colour, width in ((tail, POSTERIOR, 5.2), (head, ANTERIOR, 5.8)):
        axes.plot(x[part], y[part], color=colour, lw=width, solid_capstyle="round", zorder=5)


if __name__ == "__main__":
    draw_icon(ICON)
