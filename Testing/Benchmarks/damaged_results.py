"""The AI's results of real scans, and the ways in which such results go wrong, made on purpose and repeatably."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from MedSegAI.Logic.files.decathlon import read_case, read_subset
from MedSegAI.Logic.inference.engines.open import open_engine
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import ConfidenceChoice, DeviceChoice, RunSettings
from MedSegAI.Logic.volume import Volume

SUREST = 6.0
# How far the log-odds move where the label is made wrong: a wrong network is less sure than a right one.
DOUBT = 8.0
NONE = "none"


@dataclass(frozen=True, eq=False)
class Case:
    """A scan, the expert's mask, the mask to be mended and the log-odds that go with it, all (k, j, i)."""

    name: str
    scan: Volume
    truth: np.ndarray
    mask: np.ndarray
    log_odds: np.ndarray
    damage: str = NONE

    @property
    def probability(self) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-self.log_odds))


def ai_results(dataset: Path, *, subset: str, cases: int | None, values: tuple[int, ...]) -> Iterator[Case]:
    """What the shipped model finds, the labels ``values`` taken together."""
    model = find_model("hippocampus-mr")
    settings = RunSettings(device=DeviceChoice.CPU, confidence=ConfidenceChoice.PER_VOXEL)
    engine = open_engine(model, settings=settings, reporter=SilentReporter())
    for name in read_subset(dataset / "split.json", subset)[:cases]:
        scan, labels = read_case(dataset, name, modality=model.card.inputs[0].modality)
        found = segment(scan, model, settings=settings, reporter=SilentReporter(), engine=engine)
        mask = np.isin(found.labels.array, values)
        sure = found.confidence.array.astype(float)
        probability = np.clip(np.where(mask, np.maximum(sure, 0.51), np.minimum(1 - sure, 0.49)), 1e-4, 1 - 1e-4)
        log_odds = np.clip(np.log(probability / (1 - probability)), -SUREST, SUREST)
        yield Case(name, scan, np.isin(labels.array, values), mask, log_odds)


def damaged(case: Case, damage: str, *, seed: int) -> Case:
    """The same case with a result that went wrong in one of the ways of ``DAMAGES``."""
    if damage == NONE:
        return case
    generator = np.random.default_rng([seed, list(DAMAGES).index(damage), *case.name.encode()])
    mask, log_odds = DAMAGES[damage](case, generator)
    return replace(case, mask=mask, log_odds=log_odds, damage=damage)


def with_mask(case: Case, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The log-odds moved where ``mask`` differs from the result, so that they say what it says."""
    moved = np.where(mask, np.maximum(case.log_odds + DOUBT, 0.1), np.minimum(case.log_odds - DOUBT, -0.1))
    return mask, np.clip(np.where(mask != case.mask, moved, case.log_odds), -SUREST, SUREST)


def missing_end(case: Case, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The last fifth to third of one end is not found."""
    along = along_axis(case) * generator.choice([-1, 1])
    return with_mask(case, case.mask & (along <= np.quantile(along[case.mask], generator.uniform(0.67, 0.8))))


def leak(case: Case, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A fifth of the volume more, run out into the like tissue beside a point of the border."""
    start = surface_point(case.mask, generator)
    unlike = np.abs(ndimage.gaussian_filter(case.scan.array.astype(float), 0.7) - case.scan.array[case.mask].mean())
    unlike /= case.scan.array[case.mask].std()
    far = distance_from(case, start) * (1 + unlike)
    far[case.mask] = np.inf
    wanted = int(0.2 * case.mask.sum())
    grown = far <= np.partition(far.ravel(), wanted)[wanted]
    parts, _ = ndimage.label(case.mask | ndimage.binary_opening(grown))
    return with_mask(case, parts == parts[start])


def shifted_part(case: Case, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One half moved sideways by 3 mm."""
    along = along_axis(case) * generator.choice([-1, 1])
    share = 1 / (1 + np.exp(-along))
    way = generator.normal(size=3)
    axis = main_axis(case)
    way -= axis * (way @ axis)
    way *= 3.0 / np.linalg.norm(way)
    positions = np.indices(case.mask.shape, dtype=float)
    for position, mm, spacing in zip(positions, way, case.scan.grid.spacing_kji):
        position -= share * mm / spacing
    moved = ndimage.map_coordinates(case.log_odds, positions, order=1, mode="nearest")
    return moved > 0, moved


def thick_region(case: Case, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """2 mm too thick within 9 mm of a point of the border."""
    near = distance_from(case, surface_point(case.mask, generator)) <= 9
    outer = ndimage.distance_transform_edt(~case.mask, sampling=case.scan.grid.spacing_kji)
    return with_mask(case, case.mask | (near & (outer <= 2)))


def thin_region(case: Case, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """2 mm too thin within 9 mm of a point of the border."""
    near = distance_from(case, surface_point(case.mask, generator)) <= 9
    inner = ndimage.distance_transform_edt(case.mask, sampling=case.scan.grid.spacing_kji)
    return with_mask(case, case.mask & ~(near & (inner <= 2)))


def main_axis(case: Case) -> np.ndarray:
    """Unit vector (k, j, i), mm, along which the mask is longest."""
    points = np.argwhere(case.mask) * case.scan.grid.spacing_kji
    return np.linalg.svd(points - points.mean(0), full_matrices=False)[2][0]


def along_axis(case: Case) -> np.ndarray:
    """Millimetres along the main axis from the middle of the mask, (k, j, i)."""
    spacing = np.array(case.scan.grid.spacing_kji)
    middle = (np.argwhere(case.mask) * spacing).mean(0)
    positions = np.moveaxis(np.indices(case.mask.shape), 0, -1) * spacing - middle
    return positions @ main_axis(case)


def surface_point(mask: np.ndarray, generator: np.random.Generator) -> tuple[int, int, int]:
    surface = np.argwhere(mask & ~ndimage.binary_erosion(mask))
    return tuple(int(n) for n in surface[generator.integers(len(surface))])


def distance_from(case: Case, point: tuple[int, int, int]) -> np.ndarray:
    """Distance in mm of each voxel from a voxel."""
    offsets = np.indices(case.mask.shape) - np.reshape(point, (3, 1, 1, 1))
    return np.sqrt(np.sum((offsets * np.reshape(case.scan.grid.spacing_kji, (3, 1, 1, 1))) ** 2, axis=0))


DAMAGES = {
    "missing end": missing_end,
    "leak": leak,
    "shifted half": shifted_part,
    "too thick": thick_region,
    "too thin": thin_region,
}
