"""N4's bias field of a head."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import SimpleITK as sitk

from MedSegAI.Logic.bench.measure import Answers, Case, Conditions, Contest, Figure, Parity, Target, Unit
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.mr.n4 import LOG_FIELD, N4
from MedSegAI.Logic.volume import Modality, Volume

EVERY_VOXEL, OURS = "SimpleITK, every voxel", "ours"
_LEVELS, _ITERATIONS, _CONVERGENCE = 3, 20, 0.001


class BiasField:
    """Ours, which looks at the voxels it chooses, beside SimpleITK's filter on every voxel."""

    name = "n4"
    title = "Bias field (N4)"
    compares = (
        "N4 of a made-up head with a smooth bias, against SimpleITK's filter on every voxel, same levels and "
        "iterations. Fields are compared inside the head, without their common factor, which N4 leaves open."
    )
    unit = Unit.CPU_SECONDS
    uses_network = False

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """One head; small, as every voxel takes long."""
        side, spacing = (24, 8.0) if conditions.quick else (80, 2.4)
        targets = () if conditions.quick else (Target(OURS, Figure.TIMES_FASTER, 5.0),)
        return (Case(f"{side} cubed at {spacing:g} mm", (side, spacing), targets, most_rounds=3),)

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        head, inside = a_head(*case.about)
        step = N4(levels=_LEVELS, iterations=_ITERATIONS, convergence=_CONVERGENCE)
        actions = {
            EVERY_VOXEL: lambda: _by_simpleitk(head),
            OURS: lambda: step.apply(head, reporter=SilentReporter()).extras[LOG_FIELD].array,
        }
        yield Contest(EVERY_VOXEL, actions, frozenset({OURS}), lambda answers: _parity(answers, inside))


def a_head(side: int, spacing: float) -> tuple[Volume, np.ndarray]:
    """An ellipsoid of two tissues with noise, brighter to one side by half; and its mask (k, j, i)."""
    k, j, i = (np.linspace(-1, 1, side) for _ in range(3))
    away = np.sqrt((k[:, None, None] / 0.9) ** 2 + (j[:, None] / 0.95) ** 2 + (i / 0.8) ** 2)
    inside = away < 1
    folds = np.sin(9 * k)[:, None, None] + np.sin(11 * j)[:, None] + np.sin(8 * i)
    tissue = np.where(folds > 0, 300.0, 200.0) * np.exp(0.25 * i + 0.1 * (j**2)[:, None])
    noise = np.random.default_rng(0).normal(0, 6, away.shape)
    array = np.where(inside, tissue, 10.0) + noise
    grid = Grid(array.shape, (spacing,) * 3)
    return Volume(np.clip(array, 1, None).astype(np.float32), grid, Modality.MR, name="made-up head"), inside


def _by_simpleitk(head: Volume) -> np.ndarray:
    image = head.to_sitk()
    theirs = sitk.N4BiasFieldCorrectionImageFilter()
    theirs.SetMaximumNumberOfIterations([_ITERATIONS] * _LEVELS)
    theirs.SetConvergenceThreshold(_CONVERGENCE)
    theirs.Execute(image, sitk.OtsuThreshold(image, 0, 1))
    return sitk.GetArrayFromImage(theirs.GetLogBiasFieldAsImage(image))


def _parity(answers: Answers, inside: np.ndarray) -> dict[str, tuple[Parity, ...]]:
    if EVERY_VOXEL not in answers or OURS not in answers:
        return {}
    ours, theirs = (answers[name][inside].astype(np.float64) for name in (OURS, EVERY_VOXEL))
    alike = float(np.corrcoef(ours, theirs)[0, 1])
    apart = float(np.abs(np.expm1(ours - ours.mean() - theirs + theirs.mean())).mean())
    return {OURS: (Parity("1 - correlation", 1 - alike, 0.05), Parity("mean difference", apart, 0.03))}
