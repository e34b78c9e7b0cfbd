"""How long a person waits between a click on a nodule and its segment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from MedSegAI.Logic.bench.measure import Answers, Case, Conditions, Contest, Parity, Unit
from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, Model, read_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Modality, Volume
from MedSegAI.Logic.volume import Unit as VoxelUnit
from MedSegAI.Logic.worker.runner import SubprocessRunner

CLICK = "ours, warm worker"
_LUNG_HU, _NODULE_HU = -850.0, 40.0
_RADIUS_MM = 8.0


class Click:
    """From the click to the labels, through a warm worker process."""

    name = "click"
    title = "Click to segment"
    compares = (
        "Seconds on the wall from a click on a nodule in the middle of a cube at 1 mm to its labels, through a worker "
        "process that has the model loaded, with the engine and the threads that it chooses. A scene and its drawing "
        "come on top (`python -m Testing.Benchmarks.click_to_segment`)."
    )
    unit = Unit.WALL_SECONDS
    uses_network = False

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """Two cubes about the nodule; there is nothing to compare, so nothing that is quick."""
        return () if conditions.quick else tuple(Case(f"{side} cubed", side) for side in (64, 128))

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        cube, model = a_nodule(case.about), _model_that_takes_points()
        settings = RunSettings(device=conditions.device, points=((0.0, 0.0, 0.0),))
        with SubprocessRunner() as runner:

            def click() -> SegmentationResult:
                started = runner.start_segment(cube, model=model, settings=settings, reporter=SilentReporter())
                return started.wait()

            yield Contest(CLICK, {CLICK: click}, frozenset({CLICK}), _parity)


def a_nodule(side: int) -> Volume:
    """A ball in the middle of lung, with noise: int16 (k, j, i) HU at 1 mm, its middle at the origin."""
    middle = (side - 1) / 2
    away = sum((axis - middle) ** 2 for axis in np.ogrid[:side, :side, :side])
    hu = np.where(away <= _RADIUS_MM**2, _NODULE_HU, _LUNG_HU) + np.random.default_rng(0).normal(0, 12, (side,) * 3)
    grid = Grid((side,) * 3, (1.0,) * 3, (-middle,) * 3)
    return Volume(hu.astype(np.int16), grid, Modality.CT, VoxelUnit.HOUNSFIELD, name="made-up nodule")


def _model_that_takes_points() -> Model:
    models = [read_model(card.parent) for card in sorted(SHIPPED_MODELS.glob("*/card.json"))]
    for model in models:
        if model.card.needs_point:
            return model
    raise ModelError("No model that segments what is pointed at is shipped with this version.")


def _parity(answers: Answers) -> dict[str, tuple[Parity, ...]]:
    if CLICK not in answers:
        return {}
    labels = answers[CLICK].labels.array
    expected = a_nodule(labels.shape[0]).array > (_LUNG_HU + _NODULE_HU) / 2
    return {CLICK: (Parity("1 - Dice with the ball", 1 - dice(labels, expected)),)}
