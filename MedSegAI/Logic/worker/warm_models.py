"""Segments and explains with the last model kept loaded, so that only the first run of a model pays for it."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.inference.engines.worth import is_enough_work
from MedSegAI.Logic.inference.result import SegmentationResult, ShowPart
from MedSegAI.Logic.inference.scans import Scans
from MedSegAI.Logic.inference.window_cache import CachingEngine, WindowCache
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import DeviceChoice, EngineChoice, RunSettings
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    from MedSegAI.Logic.inference.engines.eager import EagerEngine
    from MedSegAI.Logic.inference.engines.engine import Engine
    from MedSegAI.Logic.inference.engines.open import ChosenEngine

_Key = tuple[str, ...]


class WarmModels:
    """Engines of one model at most: a second model would double the memory held."""

    def __init__(self) -> None:
        self._model: _Key | None = None
        self._chosen: dict[tuple[DeviceChoice, EngineChoice, bool], ChosenEngine] = {}
        self._engines: dict[tuple[str, EngineChoice], Engine] = {}
        self._windows = WindowCache()

    def segment(
        self,
        scans: Scans,
        model: Model,
        *,
        settings: RunSettings,
        reporter: Reporter,
        show: ShowPart | None = None,
    ) -> SegmentationResult:
        """:func:`MedSegAI.Logic.inference.segment.segment` with the warm engine."""
        from MedSegAI.Logic.inference.segment import segment

        open_with = functools.partial(self.caching_engine, model, settings=settings, reporter=reporter)
        # What was asked for by name may be missing: that is told before the regions are looked for.
        engine = None if settings.engine is EngineChoice.AUTO else open_with()
        options = {"settings": settings, "reporter": reporter, "engine": engine, "open_with": open_with}
        try:
            return segment(scans, model, **options, show=show)
        except DeviceError:
            # What is kept of earlier runs must not be what a new one lacks.
            if not self._windows.clear():
                raise
            return segment(scans, model, **options, show=show)

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

    def engine(self, model: Model, *, settings: RunSettings, reporter: Reporter, windows: int | None = None) -> Engine:
        """The engine that the settings come down to, warm where an earlier run of the model came down to the same.

        An engine that had to fall back for lack of memory is not kept: the memory may be there again. ``windows`` are
        those of the run, where they are known.

        Raises:
            ModelError: if the weights are missing, tampered with or do not fit the card, or the engine that was asked
                for does not give what torch gives.
            DeviceError: if the engine or the device that was asked for cannot be used.
            DependencyError: if the engine that was asked for is not installed.
        """
        from MedSegAI.Logic.inference.engines.open import choose_engine, open_chosen

        self._keep_only(model)
        asked = (settings.device, settings.engine, is_enough_work(model.card, windows=windows))
        if asked not in self._chosen:
            self._chosen[asked] = choose_engine(model, settings=settings, reporter=reporter, windows=windows)
        chosen = self._chosen[asked]
        if chosen.fallback:
            del self._chosen[asked]
        key = (chosen.device.name, chosen.choice)
        if key not in self._engines or self._engines[key].fallbacks:
            # The old one goes first: both would not fit.
            self._engines.pop(key, None)
            self._engines[key] = open_chosen(model, chosen, reporter=reporter)
        return self._engines[key]

    def caching_engine(
        self, model: Model, *, settings: RunSettings, reporter: Reporter, windows: int | None = None
    ) -> CachingEngine:
        """As :meth:`engine`, for a run that evaluates only windows that no earlier run has."""
        engine = self.engine(model, settings=settings, reporter=reporter, windows=windows)
        return CachingEngine(engine, self._windows, network=json.dumps(self._model))

    def torch_engine(self, model: Model, *, device: DeviceChoice, reporter: Reporter) -> EagerEngine:
        """The model's network in torch, for gradients; warm and raising as :meth:`engine`."""
        settings = RunSettings(device=device, engine=EngineChoice.TORCH)
        return self.engine(model, settings=settings, reporter=reporter)

    def forget(self) -> None:
        """Free the engines' memory."""
        self._model = None
        self._chosen, self._engines = {}, {}
        self._windows.clear()

    def _keep_only(self, model: Model) -> None:
        card = model.card
        this = (card.weights_sha256, card.network, json.dumps(card.network_arguments, sort_keys=True))
        if this != self._model:
            self.forget()
            self._model = this
