"""The network's forward pass of one window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from MedSegAI.Logic.bench.contestants import (
    MONAI,
    MONAI_FLASH,
    NO_MONAI,
    TORCH,
    logits_parity,
    monai_predictions,
    open_engines,
    smooth_image,
    untrained_model,
)
from MedSegAI.Logic.bench.measure import Answers, Case, Conditions, Contest, Parity, Unit

_CLASSES = 3


class NetworkForward:
    """Ours in each engine beside MONAI's ``SwinUNETR``, as it comes and with flash attention."""

    name = "network"
    title = "Network, one window"
    compares = (
        "Swin-UNETR, one window, against MONAI's as it comes; random weights, the same in all. Logits must be "
        "MONAI's where float32 is computed; of other engines the labels are compared."
    )
    unit = Unit.CPU_SECONDS
    uses_network = True

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """Two sizes of network, two of window."""
        if conditions.quick:
            return (_case(12, (64, 32, 32)),)
        return tuple(_case(size, (side,) * 3) for size in (12, 48) for side in (64, 96))

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        feature_size, window = case.about
        with untrained_model(feature_size=feature_size, classes=_CLASSES, window=window) as model:
            windows = smooth_image(window)[None]
            theirs, mine = monai_predictions(model, conditions), open_engines(model, conditions)
            predict = {**theirs, **{name: engine.predict for name, engine in mine.ready.items()}}
            yield Contest(
                reference=MONAI,
                actions={name: lambda act=act: act(windows) for name, act in predict.items()},
                ours=frozenset({*mine.ready, *mine.absent}),
                parity=lambda answers: _parity(answers, conditions),
                absent=mine.absent if theirs else {MONAI: NO_MONAI, **mine.absent},
            )


def _case(feature_size: int, window: tuple[int, int, int]) -> Case:
    return Case(f"feature size {feature_size}, {' x '.join(map(str, window))}", (feature_size, window))


def _parity(answers: Answers, conditions: Conditions) -> dict[str, tuple[Parity, ...]]:
    expected = answers.get(MONAI, answers.get(TORCH))
    if expected is None:
        return {}
    # On a GPU ours computes in half precision.
    exact = {MONAI_FLASH, *(() if conditions.on_gpu else (TORCH,))}
    return {
        name: logits_parity(found, expected, exact=name in exact)
        for name, found in answers.items()
        if found is not expected
    }
