"""Draw docs/architecture.png: the layers of the house and the path of one volume through them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "architecture.png"
INK, PAPER, PATH_COLOUR = "#1d2733", "#ffffff", "#d9480f"


@dataclass(frozen=True)
class Band:
    """A layer: its title, what it may import, its place and its colour."""

    title: str
    note: str
    box: tuple[float, float, float, float]
    colour: str


@dataclass(frozen=True)
class Room:
    """A folder or file inside a layer, centred at (x, y)."""

    name: str
    note: str
    x: float
    y: float
    width: float = 2.15
    height: float = 0.78


BANDS = (
    Band("Faces", "show and ask; hold no state of a case", (0.15, 9.75, 13.7, 1.75), "#e7f0fb"),
    Band(
        "Session",
        "one observable case, kept in the scene",
        (0.15, 7.55, 10.0, 1.75),
        "#fdeef0",
    ),
    Band("Bridge", "vtk and MRML, no Qt: speaks RAS and IJK", (0.15, 5.35, 6.75, 1.75), "#e6f6f1"),
    Band("Worker", "Logic/worker: its own process, can be cancelled", (7.1, 5.35, 6.75, 1.75), "#fbf1dd"),
    Band(
        "Logic",
        "numpy and SimpleITK, torch only when it computes: speaks LPS and (k, j, i)",
        (0.15, 0.2, 13.7, 4.7),
        "#f0ecf8",
    ),
)

ROOMS = (
    Room("MedSegAI.py, Widgets/", "desktop Slicer (Qt)", 2.5, 10.25, 3.4),
    Room("Web/", "browser, make app", 7.0, 10.25, 3.2),
    Room("CommandLine/", "medsegai, make demo", 12.0, 10.25, 3.2),
    Room("choices, inputs", "in the parameter node", 1.95, 8.05, 3.0),
    Room("work, run", "progress, cancel, steps", 5.15, 8.05, 2.9),
    Room("results, undo", "one state an action", 8.35, 8.05, 2.9),
    Room("nodes", "volume, segmentation,\nheat map, transform", 1.95, 5.9, 3.0),
    Room("scene, render", ".mrb, .seg.nrrd,\npictures", 5.25, 5.9, 2.6),
    Room("protocol", "JSON lines; arrays as\nmemory-mapped files", 8.85, 5.9, 2.9),
    Room("runner", "inline or subprocess", 12.15, 5.9, 2.7),
    Room("files", "NIfTI, NRRD, DICOM", 1.55, 3.78),
    Room("localise", "where the organ is", 4.25, 3.78),
    Room("standardise", "resample, normalise", 6.95, 3.78),
    Room("inference", "streaming windows", 9.65, 3.78),
    Room("explain", "Grad-CAM++", 12.35, 3.78),
    Room("training", "config, trainer", 1.55, 2.86),
    Room("evaluation", "Dice, HD95, tables", 4.25, 2.86),
    Room("models", "card, weights, sha256", 6.95, 2.86),
    Room("networks", "Swin-UNETR", 9.65, 2.86),
    Room("report", "volumes in mL", 12.35, 2.86),
    Room("corrections", "experts' journal", 2.9, 1.94),
    Room("consensus", "STAPLE, majority", 5.6, 1.94),
    Room("agreement", "kappa, alpha, places", 8.3, 1.94),
    Room("refine", "graph cut from strokes", 11.0, 1.94),
    Room(
        "geometry   volume   labels   errors   reporter   settings   provenance",
        "the words every room shares: one Grid, one Volume, one LabelTable",
        6.95,
        0.86,
        12.95,
    ),
)

# One step of the volume's path: where its number stands, and how the line from the step before bends.
PATH = (
    (1.55, 4.28, "1", 0.0),
    (4.25, 4.28, "2", 0.0),
    (6.95, 4.28, "3", 0.0),
    (9.65, 4.28, "4", 0.0),
    (12.35, 4.28, "5", 0.0),
    (10.5, 5.28, "6", 0.12),
    (6.72, 5.28, "7", 0.0),
    (6.72, 7.5, "8", 0.0),
    (6.72, 9.7, "9", 0.0),
)


def draw_architecture(path: Path) -> None:
    """Write the picture as a PNG about 1500 pixels wide."""
    figure = pyplot.figure(figsize=(14, 11.7), dpi=110)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 14), ylim=(0, 11.7))
    axes.axis("off")
    for band in BANDS:
        _draw_band(axes, band)
    for room in ROOMS:
        _draw_room(axes, room)
    _draw_import_arrows(axes)
    _draw_path(axes)
    figure.savefig(path, facecolor=PAPER)
    pyplot.close(figure)


def _draw_band(axes: Axes, band: Band) -> None:
    x, y, width, height = band.box
    axes.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.14", fc=band.colour, ec="#9aa7b5")
    )
    axes.text(x + 0.2, y + height - 0.32, band.title, fontsize=15, weight="bold", color=INK, va="center")
    offset = 0.42 + 0.155 * len(band.title)
    axes.text(x + offset, y + height - 0.33, band.note, fontsize=11, color="#51606f", va="center", style="italic")


def _draw_room(axes: Axes, room: Room) -> None:
    corner = (room.x - room.width / 2, room.y - room.height / 2)
    axes.add_patch(
        FancyBboxPatch(
            corner, room.width, room.height, boxstyle="round,pad=0,rounding_size=0.1", fc=PAPER, ec="#b9c3cd", zorder=2
        )
    )
    two_lines = "\n" in room.note
    axes.text(room.x, room.y + (0.24 if two_lines else 0.16), room.name, fontsize=12, weight="bold", color=INK,
              ha="center", va="center", zorder=3)  # fmt: skip
    axes.text(room.x, room.y - (0.12 if two_lines else 0.17), room.note, fontsize=10, color="#51606f", ha="center",
              va="center", zorder=3, linespacing=1.1)  # fmt: skip


def _draw_import_arrows(axes: Axes) -> None:
    for start, end in (
        ((1.0, 9.75), (1.0, 9.3)),
        ((12.9, 9.75), (12.9, 7.1)),
        ((1.0, 7.55), (1.0, 7.1)),
        ((9.6, 7.55), (9.6, 7.1)),
        ((1.0, 5.35), (1.0, 4.9)),
        ((12.9, 5.35), (12.9, 4.9)),
    ):
        axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=20, color="#51606f", lw=2))
    axes.text(1.2, 9.52, "imports point down", fontsize=10.5, color="#51606f", va="center")
    axes.text(1.2, 7.32, "imports point down", fontsize=10.5, color="#51606f", va="center")
    axes.text(1.2, 5.12, "imports point down", fontsize=10.5, color="#51606f", va="center")


def _draw_path(axes: Axes) -> None:
    for (x0, y0, _, _), (x1, y1, _, bend) in itertools.pairwise(PATH):
        axes.add_patch(
            FancyArrowPatch(
                (x0, y0), (x1, y1), connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>", mutation_scale=16,
                color=PATH_COLOUR, lw=2.2, shrinkA=11, shrinkB=11, zorder=4,
            )
        )  # fmt: skip
    for x, y, number, _ in PATH:
        axes.text(x, y, number, fontsize=11.5, weight="bold", color=PAPER, ha="center", va="center", zorder=6,
                  bbox={"boxstyle": "circle,pad=0.28", "fc": PATH_COLOUR, "ec": PAPER, "lw": 1.5})  # fmt: skip


if __name__ == "__main__":
    draw_architecture(PICTURE)
