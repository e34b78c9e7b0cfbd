"""STAPLE of five raters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import SimpleITK as sitk

from MedSegAI.Logic.bench.measure import Answers, Case, Conditions, Contest, Figure, Parity, Target, Unit
from MedSegAI.Logic.consensus.fuse import fuse
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable

SIMPLE_ITK, OURS = "SimpleITK", "ours"
WITH_PROBABILITIES, OTHER_THRESHOLD = "ours, with probabilities", "ours, another threshold"
_RATERS = 5
_MOST_ITERATIONS = 1000


class Staple:
    """Ours beside SimpleITK's filter."""

    name = "staple"
    title = "STAPLE"
    compares = (
        "Five masks of a lobed structure whose border each rater draws elsewhere, with specks, fused; against "
        "SimpleITK's filter, which gets its images ready made and gives a map of probabilities. Masks must be the "
        "same, sensitivities too. The last row is a slider's move to another threshold."
    )
    unit = Unit.CPU_SECONDS
    uses_network = False

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """One cube."""
        side = 48 if conditions.quick else 256
        targets = () if conditions.quick else (Target(OURS, Figure.TIMES_FASTER, 50.0),)
        return (Case(f"5 raters, {side} cubed", side, targets, most_rounds=3),)

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        masks = five_masks(case.about)
        table = LabelTable((Label(1, "structure", "Structure", (1.0, 0.0, 0.0)),))
        raters = tuple(Rating(str(n), mask) for n, mask in enumerate(masks))
        ratings = Ratings(Grid((case.about,) * 3), table, raters)
        images = [sitk.GetImageFromArray(mask) for mask in masks]
        found = fuse(ratings)
        actions = {
            SIMPLE_ITK: lambda: _by_simpleitk(images, conditions.threads),
            OURS: lambda: fuse(ratings),
            WITH_PROBABILITIES: lambda: fuse(ratings).probability(1),
            OTHER_THRESHOLD: lambda: found.at(0.8),
        }
        yield Contest(SIMPLE_ITK, actions, frozenset({*actions} - {SIMPLE_ITK}), _parity)


def five_masks(side: int) -> list[np.ndarray]:
    """uint8 (k, j, i): each rater's border lies a few voxels further in or out, and one voxel in 500 is a speck."""
    rng = np.random.default_rng(0)
    k, j, i = np.ogrid[:side, :side, :side]
    lobes = np.sin(9 * k / side) + np.sin(11 * j / side) + np.sin(7 * i / side)
    middle = rng.normal(side / 2, side / 64, size=(_RATERS, 3))
    masks = []
    for centre, radius in zip(middle, rng.normal(side / 4, side / 64, size=_RATERS)):
        distance = np.sqrt((k - centre[0]) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2)
        mask = distance < radius + lobes * side / 64
        masks.append((mask ^ (rng.random(mask.shape, dtype=np.float32) < 0.002)).astype(np.uint8))
    return masks


def _by_simpleitk(images: list[sitk.Image], threads: int) -> tuple[sitk.Image, tuple[float, ...]]:
    """Map of probabilities, and the raters' sensitivities."""
    theirs = sitk.STAPLEImageFilter()
    theirs.SetNumberOfThreads(threads)
    theirs.SetForegroundValue(1)
    theirs.SetMaximumIterations(_MOST_ITERATIONS)
    return theirs.Execute(images), theirs.GetSensitivity()


def _parity(answers: Answers) -> dict[str, tuple[Parity, ...]]:
    if SIMPLE_ITK not in answers or OURS not in answers:
        return {}
    (weights, theirs), mine = answers[SIMPLE_ITK], answers[OURS]
    other_voxels = np.count_nonzero((sitk.GetArrayViewFromImage(weights) > 0.5) != mine.labels)
    sensitivities = np.array([one.sensitivity(1) for one in mine.performances])
    return {
        OURS: (
            Parity("other voxels", float(other_voxels), 0.0),
            Parity("sensitivities off by", float(np.abs(sensitivities - theirs).max()), 1e-5),
        )
    }
