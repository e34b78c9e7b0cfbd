"""The pairs of scans that alignments are measured on: right ones with a known answer, and ones that cannot fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from MedSegAI.Logic.align.move import moved_grid
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.volume import Volume

SEQUENCES = {"T1": "t1", "T1c": "t1c", "T2": "t2", "FLAIR": "fla"}
MOVES = ((3.0, 3.0), (10.0, 10.0), (20.0, 30.0), (35.0, 50.0))
"""Degrees about a random axis and mm in a random direction."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two scans, and where known the transform from the reference's LPS mm to the moving scan's."""

    moving: Volume
    reference: Volume
    truth: LinearTransform | None = None


def native(data: Path) -> dict[str, Volume]:
    """Four sequences of one head as they came from the scanner: slices of 5.5 mm, each on a grid of its own."""
    folder = data / "brats_like" / "OtherEXampleFromTCIA" / "native_unregistered"
    return {name: _named(next(folder.glob(f"*_{ending}.nii.gz")), name) for name, ending in SEQUENCES.items()}


def co_registered(data: Path, case: str = "OtherEXampleFromTCIA") -> dict[str, Volume]:
    """The same sequences as another program registered them into one space, at 1 mm, the brain alone."""
    folder = data / "brats_like" / case / "raw_bet"
    return {
        name: _named(folder / f"{case}_{ending}_bet.nii.gz", f"{case[:7]} {name}") for name, ending in SEQUENCES.items()
    }


def moved_pairs(data: Path) -> Iterator[Pair]:
    """Heads moved by known transforms: against themselves, against another contrast, and a crop."""
    generator = np.random.default_rng(1)
    head = _named(data / "mr_heads" / "chris_t1.nii.gz", "T1")
    case = data / "brats_like" / "BraTS-GLI-00001-000"
    first, second = (_named(case / f"{case.name}-{ending}.nii.gz", ending) for ending in ("t1n", "t2w"))
    tumour = co_registered(data, "TCGA-DU-7294")
    for degrees, mm in MOVES:
        inverted = head.with_array(np.sqrt(float(head.array.max()) - head.array.astype(np.float32)))
        for moving, reference in ((inverted, head), (second, first), (tumour["FLAIR"], tumour["T1c"])):
            yield _moved(moving, reference, _random(generator, reference, degrees, mm), f"{degrees:g} deg, {mm:g} mm")
    crop = replace(head.crop(Box((60, 80, 50), (130, 200, 140))), name="T1 crop")
    yield _moved(crop, head, _random(generator, head, 5.0, 10.0), "5 deg, 10 mm")


def wrong_pairs(data: Path) -> Iterator[Pair]:
    """Other people's heads, mirrored heads, noise, and another part of the body."""
    heads = [_named(data / "mr_heads" / f"{name}.nii.gz", name) for name in ("chris_t1", "MR_Gd")]
    case = data / "brats_like" / "BraTS-GLI-00001-000"
    t1n, t2w = (_named(case / f"{case.name}-{ending}.nii.gz", f"GLI {ending}") for ending in ("t1n", "t2w"))
    sequences, one, two = native(data), co_registered(data), co_registered(data, "TCGA-DU-7294")
    yield Pair(heads[1], heads[0])
    yield Pair(t1n, one["T1"])
    yield Pair(one["FLAIR"], two["T1c"])
    yield Pair(heads[1], t2w)
    yield Pair(heads[0], sequences["FLAIR"])
    for scan in sequences.values():
        yield Pair(replace(scan, array=scan.array[::-1], name=f"{scan.name} mirrored"), sequences["T1c"])
    noise = np.random.default_rng(2).normal(size=heads[1].grid.shape).astype(np.float32)
    yield Pair(replace(heads[1], array=noise, name="noise"), heads[1])
    body = _named(data / "totalseg_ct" / "example_ct.nii.gz", "CT of the trunk")
    yield Pair(body, heads[0])
    yield Pair(heads[1], body)


def error_mm(found: LinearTransform, truth: LinearTransform, reference: Volume) -> tuple[float, float]:
    """Mean and largest distance between where the two put the bright voxels of the reference."""
    points = reference.grid.lps_of(np.argwhere(reference.array > reference.array.mean())[::499])
    away = np.linalg.norm(found.apply(points) - truth.apply(points), axis=1)
    return float(away.mean()), float(away.max())


def _named(path: Path, name: str) -> Volume:
    return replace(read_volume(path), name=name)


def _moved(moving: Volume, reference: Volume, transform: LinearTransform, how: str) -> Pair:
    away = replace(moving, grid=moved_grid(moving.grid, transform), name=f"{moving.name}, {how}")
    return Pair(away, reference, transform)


def _random(generator: np.random.Generator, about: Volume, degrees: float, mm: float) -> LinearTransform:
    axis, shift = (vector / np.linalg.norm(vector) for vector in generator.normal(size=(2, 3)))
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(degrees)
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    centre = about.grid.corners_lps().mean(0)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, centre - turn @ centre + mm * shift
    return LinearTransform(tuple(float(value) for value in matrix.ravel()))
