"""Which part of the scan is segmented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trame.widgets import html

from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Session.choices import RegionChoice
from MedSegAI.Web.case.controls import button, choice, heading, note
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "region_title": "Region",
    "region_choice": "What to segment",
    "region_choice_tip": "The part of the scan that the model looks at",
    "region_place_roi": "Place box",
    "region_place_roi_tip": "Put a box in the middle of the scan; drag its handles in the slices",
    "region_place_point": "Place point",
    "region_place_point_tip": "Then click on the structure in a slice",
    "region_click": "Click on the structure in a slice.",
    "region_find": "Find it for me",
    "region_whole": "Whole scan",
    "region_roi": "Box",
    "region_point": "Clicked point",
}


@dataclass
class RegionState:
    """What the panel shows."""

    region: str = RegionChoice.FIND.value
    regions: list[str] = field(default_factory=list)
    has_point: bool = False
    shown: bool = True


class RegionPanel(Panel[RegionState]):
    """Choice of the region."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, RegionState)

    def build(self) -> None:
        """Add the list, and the buttons that its choices need."""
        names = self.names
        with html.Div(v_show=(names.shown,)):
            heading("region_title")
            choice(
                "region-choice",
                model=names.region,
                items=f"{names.regions}.map((value) => ({{ title: t['region_' + value], value }}))",
                update_modelValue=(self.acts(self._choose), "[$event]"),
            )
            with html.Div(v_show=(f"{names.region} === 'roi'",), classes="mt-2"):
                button("region-place-roi", icon="mdi-cube-outline", click=self.acts(self._place_roi))
            with html.Div(v_show=(f"{names.region} === 'point'",), classes="mt-2"):
                button("region-place-point", icon="mdi-crosshairs-gps", click=self.acts(self._place_point))
                note("t.region_click", testid="region-click", shown_if=f"!{names.has_point}")

    def refresh(self) -> None:
        """Take over the choice, and which ones the model allows."""
        self.shown.region = self.session.choices.region.value
        possible = [RegionChoice.FIND, RegionChoice.WHOLE, RegionChoice.ROI]
        if self._takes_points():
            possible.append(RegionChoice.POINT)
        self.shown.regions = [region.value for region in possible]
        self.shown.has_point = self._has_point()
        # A model that segments what is pointed at has no other region.
        self.shown.shown = not self._needs_point()

    def _needs_point(self) -> bool:
        try:
            return self.session.model.card.needs_point
        except MedSegAIError:
            return False

    def _takes_points(self) -> bool:
        try:
            return self.session.model.card.point_box_mm is not None
        except MedSegAIError:
            return False

    def _choose(self, region: str) -> None:
        self.session.choose(region=RegionChoice(region))
        if region == RegionChoice.POINT and self.session.scan is not None and not self._has_point():
            self._place_point()

    def _has_point(self) -> bool:
        point = self.session.point
        return point is not None and point.GetNumberOfDefinedControlPoints() > 0

    def _place_roi(self) -> None:
        self.session.place_roi()

    def _place_point(self) -> None:
        point = self.session.place_point()
        point.RemoveAllControlPoints()
        if not point.HasObserver("PointPositionDefinedEvent"):
            point.AddObserver(point.PointPositionDefinedEvent, lambda *_event: self.case.show_soon())
        # A brush would take the click for a stroke.
        self.case.brush.choose_tool("none")
        self.case.core.markups_logic.place_node(point)
