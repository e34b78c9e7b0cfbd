"""The heat map: which label and layer it explains, and how it lies over the scan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Logic.report.heat_colours import HEAT_COLOUR_MAPS, HEAT_LEGEND
from MedSegAI.Web.case.controls import button, choice, heading, hint, marks, note, slider, switch
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "heat_title": "Heat map",
    "heat_legend": HEAT_LEGEND[0].upper() + HEAT_LEGEND[1:] + ".",
    "heat_needs_result": "Segment the scan first; then a label of the result can be explained.",
    "heat_target": "Label to explain",
    "heat_target_tip": "The heat map shows which parts of the scan drove this label",
    "heat_layer": "Layer of the network",
    "heat_layer_tip": "Empty: the layer that the model's card recommends. Press Enter to take over another one",
    "heat_explain": "Explain",
    "heat_explain_tip": "Compute the Grad-CAM++ heat map of this label (shortcut: H)",
    "heat_threshold": "Threshold",
    "heat_threshold_tip": "Heat below this value is transparent",
    "heat_opacity": "Opacity",
    "heat_opacity_tip": "How much of the scan the heat map covers",
    "heat_colours": "Colours",
    "heat_colours_tip": "Colours from low heat to high heat",
    "heat_in_slices": "Show in slices",
    "heat_in_slices_tip": "Lay the heat map over the slices",
    "heat_in_3d": "Show in 3D",
    "heat_in_3d_tip": "Show the surface of the heat map at the threshold in the 3D view",
}


@dataclass
class SaliencyState:
    """What the panel shows."""

    target: str = ""
    targets: list[dict[str, str]] = field(default_factory=list)
    layer: str = ""
    threshold: float = 0.3
    opacity: float = 0.5
    colours: str = HEAT_COLOUR_MAPS[0]
    colour_maps: list[str] = field(default_factory=list)
    in_slices: bool = True
    in_3d: bool = False
    name: str = ""
    busy: bool = False


class SaliencyPanel(Panel[SaliencyState]):
    """The heat map of one label."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, SaliencyState)
        self.shown.colour_maps = list(HEAT_COLOUR_MAPS)

    def build(self) -> None:
        """Add the choices, the button and the sentence that stands beside every heat map."""
        names = self.names
        heading("heat_title")
        note("t.heat_legend", testid="heat-legend")
        note("t.heat_needs_result", shown_if=f"!{names.targets}.length")
        choice(
            "heat-target",
            model=names.target,
            items=names.targets,
            disabled=(f"!{names.targets}.length",),
            update_modelValue=self._chooses("target"),
        )
        self._layer()
        button(
            "heat-explain",
            icon="mdi-fire",
            click=self.acts(self.explain),
            disabled=(f"{names.busy} || !{names.targets}.length",),
            color="primary",
            variant="flat",
            size="default",
            classes="mt-3",
        )
        note(names.name, testid="heat-name", shown_if=f"!!{names.name}")
        with html.Div(v_show=(f"!!{names.name}",)):
            for name in ("threshold", "opacity"):
                slider(
                    f"heat-{name}",
                    model=getattr(names, name),
                    low=0.0,
                    high=1.0,
                    step=0.05,
                    update_modelValue=self._chooses(f"heat_{name}"),
                )
            choice(
                "heat-colours",
                model=names.colours,
                items=names.colour_maps,
                update_modelValue=self._chooses("heat_colours"),
            )
            switch("heat-in-slices", model=names.in_slices, update_modelValue=self._chooses("heat_in_slices"))
            switch("heat-in-3d", model=names.in_3d, update_modelValue=self._chooses("heat_in_3d"))

    def refresh(self) -> None:
        """Take over the choices and what there is to explain."""
        shown, choices = self.shown, self.session.choices
        rows = self.session.rows
        shown.targets = [{"title": row.name, "value": row.key} for row in rows]
        known = {row.key for row in rows}
        shown.target = choices.target if choices.target in known else next(iter(known), "") and rows[0].key
        shown.layer, shown.threshold, shown.opacity = choices.layer, choices.heat_threshold, choices.heat_opacity
        shown.colours, shown.in_slices, shown.in_3d = (
            choices.heat_colours,
            choices.heat_in_slices,
            choices.heat_in_3d,
        )
        heat = self.session.heat_map
        shown.name = "" if heat is None else heat.GetName()
        shown.busy = self.session.is_busy

    def explain(self) -> None:
        """Begin to explain the chosen label, unless something runs already."""
        # The second click of a double click comes before the page has learnt of the run that the first one began.
        if not self.session.is_busy:
            self.session.start_explain()

    def _layer(self) -> None:
        with html.Div(classes="mt-3"):
            vuetify.VTextField(
                model_value=(self.names.layer,),
                label=("t.heat_layer",),
                change=(self.acts(lambda layer: self.session.choose(layer=layer.strip())), "[$event.target.value]"),
                density="compact",
                variant="outlined",
                hide_details=True,
                **marks("heat-layer", "heat_layer"),
            )
            hint("heat_layer_tip", location="end")

    def _chooses(self, name: str) -> tuple[object, str]:
        return self.acts(lambda value: self._choose(name, value)), "[$event]"

    def _choose(self, name: str, value: object) -> None:
        present = getattr(self.session.choices, name)
        # A slider in the browser sends 1 for 1.0.
        value = float(value) if isinstance(present, float) else value
        if value != present:
            self.session.choose(**{name: value})
