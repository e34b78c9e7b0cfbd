"""Segments and explains with the last model kept loaded, so that only the first run of a model pays for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.scans import Scans
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import DeviceChoice, RunSettings
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    from MedSegAI.Logic.inference.engines.eager import EagerEngine


class WarmModels:
    """One engine at most: a second model would double the memory held."""

    def __init__(self) -> None:
        self._key: tuple[str, ...] | None = None
        self._engine: EagerEngine | None = None

    def segment(self, scans: Scans, model: Model, *, settings: RunSettings, reporter: Reporter) -> SegmentationResult:
        """:func:`MedSegAI.Logic.inference.segment.segment` with the warm engine."""
        from MedSegAI.Logic.inference.segment import segment

        engine = self.engine(model, device=settings.device, reporter=reporter)
        return segment(scans, model, settings=settings, reporter=reporter, engine=engine)

    def explain(
        self,
        scans: Scans,
        segmentation: SegmentationResult | Segmentation,
        model: Model,
        *,
        target: str | int,
        layer: str | None,
        settings: RunSettings,
        reporter: Reporter,
    ) -> Volume:
        """:func:`MedSegAI.Logic.explain.explain.explain` with the warm engine."""
        from MedSegAI.Logic.explain.explain import explain

        engine = self.engine(model, device=settings.device, reporter=reporter)
        options = {"target": target, "layer": layer, "settings": settings, "reporter": reporter, "engine": engine}
        return explain(scans, segmentation, model, **options)

    def engine(self, model: Model, *, device: DeviceChoice, reporter: Reporter) -> EagerEngine:
        """The engine of a model, warm where the last run used the same weights, network and device.

        An engine that had to fall back for lack of memory is not kept: the memory may be there again.

        Raises:
            ModelError: if the weights are missing, tampered with or do not fit the card.
            DeviceError: if a GPU was asked for and cannot be used.
        """
        from MedSegAI.Logic.inference.engines.open import open_engine

        card = model.card
        arguments = json.dumps(card.network_arguments, sort_keys=True)
        key = (card.weights_sha256, card.network, arguments, device.value)
        if self._engine is None or key != self._key or self._engine.fallbacks:
            self.forget()
            self._engine = open_engine(model, device=device, reporter=reporter)
            self._key = key
        return self._engine

    def forget(self) -> None:
        """Free the engine's memory."""
        self._key = self._engine = None
