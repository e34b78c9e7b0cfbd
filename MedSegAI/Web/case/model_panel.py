"""The model, what its card says of it, and where and by what it is computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trame.widgets import html

from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Logic.inference.engines.kinds import offered_engines
from MedSegAI.Logic.settings import DeviceChoice, EngineChoice
from MedSegAI.Session.session import installed_models
from MedSegAI.Web.case.controls import choice, heading
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "model_title": "Model",
    "model_name": "Model",
    "model_name_tip": "The network that segments; its card says what it was made for and how well it did",
    "model_about": "About this model",
    "model_device": "Device",
    "model_device_tip": "Where the network computes; automatic takes a GPU where there is one",
    "device_auto": "Automatic",
    "model_engine": "Engine",
    "model_engine_tip": "What evaluates the network; automatic takes a faster one than PyTorch where it gives the same",
    "engine_auto": "Automatic",
}
_DEVICE_NAMES = {"cpu": "CPU", "cuda": "NVIDIA GPU", "mps": "Apple GPU"}


@dataclass
class ModelState:
    """What the panel shows."""

    model: str = ""
    models: list[dict[str, str]] = field(default_factory=list)
    description: str = ""
    device: str = "auto"
    devices: list[dict[str, str]] = field(default_factory=list)
    engine: str = "auto"
    engines: list[dict[str, str]] = field(default_factory=list)


class ModelPanel(Panel[ModelState]):
    """Choice of the model, the device and the engine."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, ModelState)
        self.shown.devices = [
            {"title": _DEVICE_NAMES.get(device.value, device.value), "value": device.value} for device in DeviceChoice
        ]
        self._models = installed_models()

    def build(self) -> None:
        """Add the lists and the description."""
        heading("model_title")
        names = self.names
        choice(
            "model-name",
            model=names.model,
            items=names.models,
            update_modelValue=(self.acts(lambda name: self.session.choose(model=name)), "[$event]"),
        )
        with html.Details(classes="text-caption text-medium-emphasis mt-1"):
            html.Summary("{{ t.model_about }}", style="cursor:pointer")
            html.Div(f"{{{{ {names.description} }}}}", raw_attrs=['data-testid="model-description"'])
        choice(
            "model-device",
            model=names.device,
            items=f"{names.devices}.map((one) => ({{ ...one, title: t['device_' + one.value] || one.title }}))",
            update_modelValue=(self.acts(lambda name: self.session.choose(device=DeviceChoice(name))), "[$event]"),
        )

        choice(
            "model-engine",
            model=names.engine,
            items=f"{names.engines}.map((one) => ({{ ...one, title: t['engine_' + one.value] || one.title }}))",
            update_modelValue=(self.acts(lambda name: self.session.choose(engine=EngineChoice(name))), "[$event]"),
        )

    def refresh(self) -> None:
        """Take over the choice."""
        self.shown.models = [{"title": model.card.title, "value": model.card.name} for model in self._models]
        self.shown.model = self.session.choices.model
        self.shown.device = self.session.choices.device.value
        self.shown.engine = self.session.choices.engine.value
        self.shown.engines = [
            {"title": title, "value": engine.value}
            for engine, title in offered_engines(besides=self.session.choices.engine)
        ]
        try:
            card = self.session.model.card
            self.shown.description = f"{card.description} (version {card.version}, {card.licence})"
        except MedSegAIError as error:
            self.shown.description = str(error)
