"""Segments and explains with the last model kept loaded, so that only the first run of a model pays for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.scans import Scans
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import DeviceChoice, EngineChoice, RunSettings
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    from MedSegAI.Logic.inference.engines.eager import EagerEngine
    from MedSegAI.Logic.inference.engines.engine import Engine


E = TypeVar("E", bound="Engine")
_Key = tuple[str, ...]


class WarmModels:
    """Engines of one model at most: a second model would double the memory held."""

    def __init__(self) -> None:
        self._model: _Key | None = None
        self._engines: dict[_Key, Engine] = {}

    def segment(self, scans: Scans, model: Model, *, settings: RunSettings, reporter: Reporter) -> SegmentationResult:
        """:func:`MedSegAI.Logic.inference.segment.segment` with the warm engine."""
        from MedSegAI.Logic.inference.segment import segment

        engine = self.engine(model, settings=settings, reporter=reporter)
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

        engine = self.torch_engine(model, device=settings.device, reporter=reporter)
        options = {"target": target, "layer": layer, "settings": settings, "reporter": reporter, "engine": engine}
        return explain(scans, segmentation, model, **options)

    def engine(self, model: Model, *, settings: RunSettings, reporter: Reporter) -> Engine:
        """The engine that the settings ask for, warm where the last run used the same model, device and engine.

        An engine that had to fall back for lack of memory is not kept: the memory may be there again.

        Raises:
            ModelError: if the weights are missing, tampered with or do not fit the card.
            DeviceError: if a GPU was asked for and cannot be used.
        """
        from MedSegAI.Logic.inference.engines.open import open_engine

        key = (settings.device.value, settings.engine.value)
        return self._kept(model, key, lambda: open_engine(model, settings=settings, reporter=reporter))

    def torch_engine(self, model: Model, *, device: DeviceChoice, reporter: Reporter) -> EagerEngine:
        """The model's network in torch, for gradients; warm and raising as :meth:`engine`."""
        from MedSegAI.Logic.inference.engines.open import open_torch_engine

        key = (device.value, EngineChoice.TORCH.value)
        return self._kept(model, key, lambda: open_torch_engine(model, device=device, reporter=reporter))

    def forget(self) -> None:
        """Free the engines' memory."""
        self._model = None
        self._engines = {}

    def _kept(self, model: Model, key: _Key, open_it: Callable[[], E]) -> E:
        card = model.card
        this = (card.weights_sha256, card.network, json.dumps(card.network_arguments, sort_keys=True))
        if this != self._model:
            self.forget()
            self._model = this
        if key not in self._engines or self._engines[key].fallbacks:
            # The old one goes first: both would not fit.
            self._engines.pop(key, None)
            self._engines[key] = open_it()
        return self._engines[key]
