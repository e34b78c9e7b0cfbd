"""The set of whole cubes: a nodule in the middle of its lung, in HU, 1 mm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.nodules.case import NoduleCase, Source
from MedSegAI.Logic.training.nodules.reference import FEWEST_FUSED, consensus_of

_WELL_PLACED = 0.85
"""Dice, of the one reader's rebuilt mask with the given one, from which the other rebuilt masks are usable."""
_MOST_READERS = 4


def read_cubes(folder: Path, *, subset: str) -> list[NoduleCase]:
    """The cubes of a subset, in the order of the index.

    The first reader's mask is as published; the other readers' masks were rebuilt from their contours and are used
    only where the rebuilding put the first one's to its place.

    Args:
        folder: Holds ``index.json`` and ``lidc_cubes_ct.npz``.
        subset: "train" or "val".

    Raises:
        InputError: if the folder does not hold the set.
    """
    arrays, index = read_set(folder, "lidc_cubes_ct.npz")
    hu, masks, bits = (np.moveaxis(arrays[key], 3, 1) for key in ("hu", "mask", "rater_bits"))
    return [_case(entry, hu[at], masks[at], bits[at]) for at, entry in enumerate(index) if entry["split"] == subset]


def read_set(folder: Path, name: str) -> tuple[Mapping[str, np.ndarray], list[dict[str, Any]]]:
    """The arrays and the index of a set.

    Raises:
        InputError: if one of them is missing or unreadable.
    """
    try:
        with np.load(folder / name) as content:
            arrays = {key: content[key] for key in content.files}
        return arrays, json.loads((folder / "index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"'{folder}' does not hold the nodules: {name} or index.json cannot be read.",
            advice="Set MEDSEGAI_DATA to the folder that holds the set, or check data.cubes_folder and slices_folder.",
        ) from error


def _case(entry: dict[str, Any], hu: np.ndarray, mask: np.ndarray, bits: np.ndarray) -> NoduleCase:
    others = [number for number in range(_MOST_READERS) if number != entry["mask_rater_index"]]
    rebuilt = [(bits >> number & 1).astype(np.uint8) for number in others]
    usable = [one for one in rebuilt if one.any()] if (entry["rater_align_dice"] or 0.0) >= _WELL_PLACED else []
    readers = np.ascontiguousarray(np.stack([mask, *usable]))
    consensus = consensus_of(readers) if len(readers) >= FEWEST_FUSED else readers[0]
    # Every patient has one cube.
    return NoduleCase(
        entry["patient"], entry["patient"], Source.CUBES, np.ascontiguousarray(hu, np.float32), readers, consensus
    )
