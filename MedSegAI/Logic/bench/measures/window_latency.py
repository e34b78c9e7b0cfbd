"""How long one window of a shipped model takes, warm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from MedSegAI.Logic.bench.contestants import TORCH, labels_parity, open_engines, ours, smooth_image
from MedSegAI.Logic.bench.contestants import as_array as array_of
from MedSegAI.Logic.bench.measure import Answers, Case, Conditions, Contest, Figure, Parity, Target, Unit
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, Model, read_model
from MedSegAI.Logic.settings import EngineChoice

_CUBE = (64, 64, 64)
_LONGEST_SECONDS = 0.3
_LARGEST_DIFFERENCE_OF_DICE = 0.005


class WindowLatency:
    """One window of each shipped model, in each engine there is."""

    name = "window"
    title = "One window of a shipped model"
    compares = (
        "Seconds on the wall until one window is done, with warm engines and all threads that torch takes by itself. "
        "Labels are compared with torch's."
    )
    unit = Unit.WALL_SECONDS
    uses_network = True

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """Each model with a window of 64 cubed, and with its own where that is another one; nothing is quick here."""
        if conditions.quick:
            return ()
        folders = sorted(path.parent for path in SHIPPED_MODELS.glob("*/card.json"))
        models = [read_model(folder) for folder in folders]
        return tuple(_case(model, window) for model in models for window in dict.fromkeys((_CUBE, model.card.window)))

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        model: Model = case.about
        window = smooth_image(model.card.window).repeat(len(model.card.inputs), axis=0)[None]
        mine = open_engines(model, conditions)
        actions = {name: lambda engine=engine: engine.predict(window) for name, engine in mine.ready.items()}
        yield Contest(TORCH, actions, frozenset({*mine.ready, *mine.absent}), _parity, mine.absent)


def _case(model: Model, window: tuple[int, int, int]) -> Case:
    resized = replace(model, card=replace(model.card, window=window))
    quickest = (ours(EngineChoice.OPENVINO), TORCH)
    targets = tuple(Target(name, Figure.SECONDS, _LONGEST_SECONDS) for name in quickest) if window == _CUBE else ()
    return Case(f"{model.card.name}, {' x '.join(map(str, window))}", resized, targets)


def _parity(answers: Answers) -> dict[str, tuple[Parity, ...]]:
    if TORCH not in answers:
        return {}
    expected = array_of(answers[TORCH]).argmax(1)
    return {
        name: labels_parity(array_of(found).argmax(1), expected, limit=_LARGEST_DIFFERENCE_OF_DICE)
        for name, found in answers.items()
        if name != TORCH
    }
