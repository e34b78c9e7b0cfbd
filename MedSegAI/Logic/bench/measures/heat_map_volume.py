"""The heat map of a whole volume beside its segmentation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.bench.measure import Answers, Case, Conditions, Contest, Figure, Parity, Target, Unit
from MedSegAI.Logic.bench.measures.whole_volume import SHIPPED, opened
from MedSegAI.Logic.inference.islands import without_islands
from MedSegAI.Logic.reporter import SilentReporter

SEGMENTATION, HEAT_MAP = "segmentation", "heat map"
_LABEL = 1


@dataclass(frozen=True)
class _Explained:
    """What is explained: by the shipped model or (None) an untrained network; volume and window (k, j, i)."""

    model: str | None
    shape: tuple[int, int, int]
    window: tuple[int, int, int]
    layer: str


class HeatMapOfVolume:
    """The heat map of a whole volume beside the segmentation it explains, both in torch."""

    name = "heat-map-volume"
    title = "Heat map of a whole volume"
    compares = (
        "Grad-CAM++ of one label over the windows of a volume that hold it, against the volume's segmentation in "
        "torch, windows overlapping by half. The shipped model explains the anterior hippocampus in two parts of the "
        "head that nilearn carries; the untrained network explains a label that fills every window, which is the worst "
        "case, at the last layer of its decoder and at half resolution."
    )
    unit = Unit.CPU_SECONDS
    uses_network = True

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """The shipped model near the hippocampus and further around it, and the worst case at two layers."""
        if conditions.quick:
            return (_case(_Explained(None, (64, 32, 48), (64, 32, 32), "decoder2")),)
        target = Target(HEAT_MAP, Figure.SHARE, 1.5)
        windows = (32, 64, 32)
        shipped = (_Explained(SHIPPED, shape, windows, "decoder2") for shape in ((64, 128, 64), (96, 96, 96)))
        worst = (_Explained(None, (64, 96, 96), (64, 64, 64), layer) for layer in ("decoder1", "decoder2"))
        return tuple(_case(explained, (target,)) for explained in (*shipped, *worst))

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        from MedSegAI.Logic.explain.whole_volume import explain_array
        from MedSegAI.Logic.inference.engines.open import open_torch_engine
        from MedSegAI.Logic.inference.sliding_window import segment_array

        explained: _Explained = case.about
        common = {"window": explained.window, "overlap": 0.5, "reporter": SilentReporter()}
        feature_size = None if explained.model else 12
        with opened(feature_size, explained.shape, explained.window) as (model, image):
            engine = open_torch_engine(model, device=conditions.device, reporter=SilentReporter())

            def segmented() -> np.ndarray:
                return segment_array(image, engine, classes=model.card.class_count, **common).labels

            mask = without_islands(segmented()) == _LABEL if explained.model else np.ones(explained.shape, bool)

            def heat_map() -> np.ndarray:
                return explain_array(image, mask, engine.network, label=_LABEL, layer=explained.layer, **common)

            actions = {SEGMENTATION: segmented, HEAT_MAP: heat_map}
            yield Contest(SEGMENTATION, actions, frozenset(actions), _map_is_one)


def _case(explained: _Explained, targets: tuple[Target, ...] = ()) -> Case:
    extent, of = (" x ".join(map(str, one)) for one in (explained.shape, explained.window))
    name = f"{explained.model or 'untrained'} at {explained.layer}, {extent}, windows of {of}"
    return Case(name, explained, targets, most_rounds=3)


def _map_is_one(answers: Answers) -> dict[str, tuple[Parity, ...]]:
    if HEAT_MAP not in answers:
        return {}
    return {HEAT_MAP: (Parity("height of the map off 1", abs(float(answers[HEAT_MAP].max()) - 1.0), 1e-6),)}
