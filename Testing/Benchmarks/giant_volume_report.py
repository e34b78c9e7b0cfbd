"""The plot and the table of ``Testing/Benchmarks/giant_volume.py``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
PICTURE = REPOSITORY / "docs" / "pictures" / "giant-volume.png"
PAGE = REPOSITORY / "docs" / "speed-memory.md"
BEGIN, END = "<!-- giant-volume: begin -->", "<!-- giant-volume: end -->"
GIB = 1 << 30
MONAI_BYTES_A_VOXEL = 4 * 14 + 12
NNUNET_BYTES_A_VOXEL = 5 * 14 + 6


def write_report(runs: Sequence[dict[str, Any]]) -> None:
    """Draw the plot, and put the table into the page between its two marks."""
    if not runs:
        return
    _draw(runs)
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{_table(runs)}\n{END}{after}", encoding="utf-8")


def _table(runs: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| network | slices | windows | wall time | CPU time | peak | planned | measured / planned | limit | load |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    for run in runs:
        limit = "none" if not run["limit_bytes"] else f"{run['limit_bytes'] / GIB:g} GiB ({run['limit_by']})"
        lines.append(
            f"| {run['network']} ({run['engine']}) | {run['slices']} | {run['windows']} | {run['seconds']:.0f} s "
            f"| {run['cpu_seconds']:.0f} s | {run['peak'] / GIB:.2f} GiB | {run['planned'] / GIB:.2f} GiB "
            f"| {run['peak'] / run['planned']:.2f} | {limit} | {run['load']:.0f} |"
        )
    return "\n".join(lines)


def _draw(runs: Sequence[dict[str, Any]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    memory, seconds = figure.subplots(1, 2)
    free = [run for run in runs if not run["limit_bytes"]] or list(runs)
    side, largest = free[0]["side"], max(run["slices"] for run in free)
    for name, a_voxel, colour in (
        ("MONAI's scheme (computed)", MONAI_BYTES_A_VOXEL, "#c44"),
        ("nnU-Net's scheme (computed)", NNUNET_BYTES_A_VOXEL, "#c90"),
    ):
        ends = (0, largest)
        memory.plot(ends, [side * side * n * a_voxel / GIB for n in ends], "--", color=colour, label=name)
    for network, marker, colour in zip(dict.fromkeys(run["network"] for run in free), "os^", ("#268", "#084", "#628")):
        some = sorted((run for run in free if run["network"] == network), key=lambda run: run["slices"])
        slices = [run["slices"] for run in some]
        memory.plot(slices, [run["peak"] / GIB for run in some], f"{marker}-", color=colour, label=f"here: {network}")
        seconds.plot(slices, [run["cpu_seconds"] for run in some], f"{marker}-", color=colour, label=network)
    memory.axhline(3, color="#888", linewidth=0.8)
    memory.text(largest, 3.15, "3 GiB", color="#666", ha="right", fontsize=8)
    memory.set(title="Peak memory", xlabel=f"slices of {side} x {side}, 14 classes", ylabel="GiB", ylim=(0, 40))
    seconds.set(title="CPU time, from file to file", xlabel=f"slices of {side} x {side}, 14 classes", ylabel="seconds")
    seconds.set_ylim(bottom=0)
    for axes in (memory, seconds):
        axes.set_xlim(0, largest * 1.05)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8, loc="upper left")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=130)
