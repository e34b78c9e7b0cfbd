"""The heat map of a whole volume beside its segmentation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from MedSegAI.Logic.bench.measure import Answers, Case, Conditions, Contest, Figure, Parity, Target, Unit
from MedSegAI.Logic.bench.measures.whole_volume import SHIPPED, opened
from MedSegAI.Logic.reporter import SilentReporter

SEGMENTATION, HEAT_MAP = "segmentation", "heat map"
_LABEL = 1


class HeatMapOfVolume:
    """The heat map of a whole volume beside the segmentation it explains, both in torch."""

    name = "heat-map-volume"
    title = "Heat map of a whole volume"
    compares = (
        "Grad-CAM++ of one label over the windows of a volume that hold it, against the volume's segmentation in "
        "torch, windows overlapping by half. The shipped model explains the anterior hippocampus in the head that "
        "nilearn carries; the untrained network explains a label that fills every window, which is the worst case."
    )
    unit = Unit.CPU_SECONDS
    uses_network = True

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """The shipped model, and the worst case."""
        if conditions.quick:
            return (_volume_case("untrained", (64, 32, 48), (64, 32, 32)),)
        target = Target(HEAT_MAP, Figure.SHARE, 1.5)
        return (
            _volume_case(SHIPPED, (64, 128, 64), (32, 64, 32), (target,)),
            _volume_case("untrained", (96, 96, 128), (64, 64, 64)),
        )

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        from MedSegAI.Logic.explain.whole_volume import explain_array
        from MedSegAI.Logic.inference.engines.open import open_torch_engine
        from MedSegAI.Logic.inference.sliding_window import segment_array

        trained, shape, window = case.about
        common = {"window": window, "overlap": 0.5, "reporter": SilentReporter()}
        with opened(None if trained else 12, shape, window) as (model, image):
            engine = open_torch_engine(model, device=conditions.device, reporter=SilentReporter())
            layer = model.card.saliency_layer

            def segmented() -> np.ndarray:
                return segment_array(image, engine, classes=model.card.class_count, **common).labels

            mask = segmented() == _LABEL if trained else np.ones(shape, bool)

            def explained() -> np.ndarray:
                return explain_array(image, mask, engine.network, label=_LABEL, layer=layer, **common)

            actions = {SEGMENTATION: segmented, HEAT_MAP: explained}
            yield Contest(SEGMENTATION, actions, frozenset(actions), _map_is_one)


def _volume_case(
    network: str, shape: tuple[int, int, int], window: tuple[int, int, int], targets: tuple[Target, ...] = ()
) -> Case:
    extent, of = (" x ".join(map(str, one)) for one in (shape, window))
    about = (network == SHIPPED, shape, window)
    return Case(f"{network}, {extent}, windows of {of}", about, targets, most_rounds=3)


def _map_is_one(answers: Answers) -> dict[str, tuple[Parity, ...]]:
    if HEAT_MAP not in answers:
        return {}
    return {HEAT_MAP: (Parity("height of the map off 1", abs(float(answers[HEAT_MAP].max()) - 1.0), 1e-6),)}
