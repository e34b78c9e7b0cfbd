"""How well any way of segmenting a nodule from a click agrees with radiologists: the rows behind the nodule tables.

A row is one nodule, one click error and one reference. The cubes set is whole in 3D, and each of its nodules is clicked
ten times: five errors from 0 to the nodule's radius, two directions each. Of the slices set only slices that a
radiologist marked exist, so its rows say nothing of where a nodule ends above and below; its many nodules are clicked
once each, with the five errors in turn. So both sets hold the five errors in equal parts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
import torch

from MedSegAI.Logic.evaluation.metrics import MaskScores, compare_masks
from MedSegAI.Logic.training.nodules.case import NoduleCase, Source
from MedSegAI.Logic.training.nodules.click import click_at, random_direction
from MedSegAI.Logic.training.nodules.reference import consensus_of

Segmenter = Callable[[NoduleCase, np.ndarray], np.ndarray]
"""The mask (k, j, i) uint8 of the nodule of a case at a click (k, j, i)."""

CLICK_ERRORS = (0.0, 0.25, 0.5, 0.75, 1.0)
FIGURES = ("dice", "sensitivity", "specificity", "hd95_mm", "ppv", "npv")
CONSENSUS, OTHERS = "consensus", "others"
_DIRECTIONS_OF_A_CUBE = 2
_SEED = 7
_READERS_LEFT_OUT = 4
"""A reader is left out where four drew, so that three are left to make a consensus."""


@dataclass(frozen=True)
class Row:
    """One nodule at clicks of one error; the figures are means over the clicks where they are defined.

    Args:
        source: "cubes" or "slices".
        case: Name of the nodule, which begins with the patient's.
        against: "consensus" of all readers; or "others": for each reader in turn the consensus of the others, and the
            mean of the figures.
        error: How far the clicks missed, as a share of the radius; None where all errors are taken together, and for a
            radiologist, who drew without a click.
        clicks: How many there were.
        missed: At how many of them nothing was found.
    """

    source: str
    case: str
    against: str
    error: float | None
    clicks: int
    missed: int
    dice: float
    sensitivity: float | None
    specificity: float | None
    hd95_mm: float | None
    ppv: float | None
    npv: float | None

    @property
    def patient(self) -> str:
        """Whose nodule it is."""
        return self.case.split("_")[0]


def rows_of(segment: Segmenter, cases: Sequence[NoduleCase]) -> list[Row]:
    """Every case at its clicks, against the consensus and, where four readers drew, against the consensus of three."""
    rows = []
    for place, case in enumerate(cases):
        found = [(error, segment(case, click)) for error, click in clicks_of(case, place)]
        for wanted in dict.fromkeys(error for error, _ in found):
            masks = [mask for error, mask in found if error == wanted]
            rows.append(_row(case, CONSENSUS, wanted, masks, [case.consensus]))
        others = consensus_of_others(case)
        if others:
            rows.append(_row(case, OTHERS, None, [mask for _, mask in found], others))
    return rows


def radiologist_rows(cases: Iterable[NoduleCase]) -> list[Row]:
    """Each of four radiologists against the consensus of the other three."""
    return [
        _means(
            case, OTHERS, None, [compare(one, other) for one, other in zip(case.readers, others)], missed=0, clicks=1
        )
        for case in cases
        if (others := consensus_of_others(case))
    ]


def clicks_of(case: NoduleCase, place: int) -> list[tuple[float, np.ndarray]]:
    """Errors and clicks (k, j, i); ``place`` is the case's place in its list and decides the directions."""
    generator = torch.Generator().manual_seed(_SEED + place)
    if case.source is Source.CUBES:
        errors = [error for error in CLICK_ERRORS for _ in range(_DIRECTIONS_OF_A_CUBE)]
    else:
        errors = [CLICK_ERRORS[place % len(CLICK_ERRORS)]]
    return [(error, click_at(case, error=error, direction=random_direction(generator))) for error in errors]


@cache
def consensus_of_others(case: NoduleCase) -> tuple[np.ndarray, ...]:
    """For each of four readers the consensus (k, j, i) of the other three; empty for fewer readers."""
    if len(case.readers) != _READERS_LEFT_OUT:
        return ()
    found = tuple(consensus_of(np.delete(case.readers, left_out, axis=0)) for left_out in range(_READERS_LEFT_OUT))
    return found if all(one.any() for one in found) else ()


def compare(found: np.ndarray, reference: np.ndarray) -> MaskScores:
    """All scores of a mask, over the voxels that are known of the case, 1 mm."""
    return compare_masks(found, reference, spacing_kji=(1.0, 1.0, 1.0))


def write_rows(path: Path, rows: Sequence[Row], facts: dict[str, object]) -> None:
    """A JSON file with one line a row, so that a difference between two files can be read."""
    head = json.dumps({"facts": facts, "columns": [entry.name for entry in fields(Row)]}, indent=1)
    lines = ",\n".join(json.dumps([_short(value) for value in astuple(row)], separators=(",", ":")) for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{head[:-2]},\n "rows": [\n{lines}\n]\n}}\n', encoding="utf-8")


def read_rows(path: Path) -> tuple[list[Row], dict[str, object]]:
    """The rows and the facts of a file of :func:`write_rows`."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return [Row(*values) for values in content["rows"]], content["facts"]


def _row(
    case: NoduleCase, against: str, error: float | None, masks: Sequence[np.ndarray], references: Sequence[np.ndarray]
) -> Row:
    scores = [compare(mask, reference) for mask in masks for reference in references]
    missed = sum(not mask.any() for mask in masks)
    return _means(case, against, error, scores, missed=missed, clicks=len(masks))


def _means(
    case: NoduleCase, against: str, error: float | None, scores: Sequence[MaskScores], *, missed: int, clicks: int
) -> Row:
    means = {}
    for name in FIGURES:
        known = [getattr(score, name) for score in scores if getattr(score, name) is not None]
        means[name] = float(np.mean(known)) if known else None
    return Row(case.source.value, case.name, against, error, clicks, missed, **means)


def _short(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value
