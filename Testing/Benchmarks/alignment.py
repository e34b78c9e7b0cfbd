"""How well scans are aligned, and whether a wrong pair is called good.

    python -m Testing.Benchmarks.alignment [-o figures.json] [--picture both.png]

Three tables on real scans (folder ``brats_like``, ``mr_heads``, ``totalseg_ct`` of the data):

1. Four sequences of one head as they came from the scanner, each to each: overlap and normalised mutual information
   before and after. The error is against the same four sequences as another program registered them: each is registered
   to its own registered version, and these four maps are chained. They have an error of their own.
2. Heads moved by known transforms, with another contrast or against another sequence. Where the two sequences were
   registered by whoever published them, the error holds what was left by them.
3. Pairs that cannot fit. Other people's heads fit coarsely, as heads do; what matters is that none is called good.

Errors are distances of bright voxels, seconds are CPU seconds on one thread.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from MedSegAI.Logic.align.alignment import Alignment
from MedSegAI.Logic.align.move import moved
from MedSegAI.Logic.align.register_rigid import register_rigid
from MedSegAI.Logic.report.alignment_picture import alignment_figure
from MedSegAI.Logic.report.plane_drawing import write_figure
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.volume import Volume
from Testing.Benchmarks.alignment_pairs import Pair, co_registered, error_mm, moved_pairs, native, wrong_pairs

_HEAD = (
    "| moving | reference | overlap before / after | mutual information before / after | spread mm | verdict "
    "| error mm, mean / max | s |\n|---|---|---|---|---|---|---|---|"
)


def aligned(pair: Pair) -> tuple[Alignment, dict[str, Any]]:
    """An alignment and its row of figures."""
    started = time.process_time()
    found = register_rigid(pair.moving, pair.reference, reporter=SilentReporter())
    row = {
        "moving": pair.moving.name,
        "reference": pair.reference.name,
        **asdict(found.quality),
        "verdict": found.quality.verdict.value,
        "seconds": time.process_time() - started,
        "error_mm": None if pair.truth is None else error_mm(found.transform, pair.truth, pair.reference),
    }
    return found, row


def written(row: dict[str, Any]) -> str:
    """A row of the table."""
    error = "" if row["error_mm"] is None else f"{row['error_mm'][0]:.2f} / {row['error_mm'][1]:.2f}"
    return (
        f"| {row['moving']} | {row['reference']} | {row['overlap_before']:.2f} / {row['overlap_after']:.2f} "
        f"| {row['mutual_information_before']:.3f} / {row['mutual_information_after']:.3f} | {row['spread_mm']:.2f} "
        f"| {row['verdict']} | {error} | {row['seconds']:.1f} |"
    )


def table_of(title: str, pairs: list[Pair]) -> list[dict[str, Any]]:
    """Align the pairs and show the table as it grows."""
    print(f"\n{title}\n\n{_HEAD}", flush=True)
    rows = []
    for pair in pairs:
        rows.append(aligned(pair)[1])
        print(written(rows[-1]), flush=True)
    return rows


def native_pairs(data: Path) -> list[Pair]:
    """Every sequence to every other, with the transform that the registered versions imply."""
    sequences, registered = native(data), co_registered(data)
    to_native = {name: aligned(Pair(scan, registered[name]))[0].transform for name, scan in sequences.items()}
    return [
        Pair(sequences[moving], sequences[reference], _chained(to_native[reference].inverse, to_native[moving]))
        for moving, reference in itertools.permutations(sequences, 2)
    ]


def _chained(first: LinearTransform, second: LinearTransform) -> LinearTransform:
    return LinearTransform(tuple(float(value) for value in (second.array @ first.array).ravel()))


def _draw(path: Path, moving: Volume, reference: Volume) -> None:
    found, _ = aligned(Pair(moving, reference))
    there = moved(moving, found, reference=reference)
    write_figure(path, alignment_figure(reference, moving, there, sentence=found.sentence()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--picture", type=Path, help="draw the FLAIR on the T1c of the four sequences")
    options = parser.parse_args()
    data = Path(os.environ.get("MEDSEGAI_DATA", "../shared/data"))
    if options.picture is not None:
        sequences = native(data)
        _draw(options.picture, sequences["FLAIR"], sequences["T1c"])
    figures = {
        "native": table_of("Four sequences of one head", native_pairs(data)),
        "moved": table_of("Heads moved by known transforms", list(moved_pairs(data))),
        "wrong": table_of("Pairs that cannot fit", list(wrong_pairs(data))),
    }
    right = [*figures["native"], *figures["moved"]]
    verdicts = [sum(row["verdict"] == "good" for row in rows) for rows in (right, figures["wrong"])]
    print(
        f"\nCalled good: {verdicts[0]} of {len(right)} right pairs, "
        f"{verdicts[1]} of {len(figures['wrong'])} wrong ones."
    )
    if options.output is not None:
        options.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
