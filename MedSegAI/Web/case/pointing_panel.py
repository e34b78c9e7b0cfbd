"""Click to segment: the tool that points, what was measured of each structure that was pointed at, and its heat map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import slicer
from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Bridge.point_lists import is_placing, last_placed, new_aim, takes_clicks
from MedSegAI.Logic.report.measured_nodules import MeasuredNodule
from MedSegAI.Session.nodules import NoduleTable
from MedSegAI.Session.pointing import Pointing
from MedSegAI.Web.case.controls import heading, hint, marks, note, switch, tool_button
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "point_title": "Click to segment",
    "point_aim": "Point at nodule",
    "point_aim_tip": "Then click on a nodule in a slice; each click segments one (Esc ends)",
    "point_click": "Click on a nodule in a slice. Esc ends.",
    "point_busy": "Segmenting; the next click counts once this is done.",
    "point_what": "Segments what is pointed at; it does not look for nodules.",
    "point_explain": "Heat map, too",
    "point_explain_tip": "Show after each click what drove the result",
    "point_name": "Nodule",
    "point_diameter": "Ø mm",
    "point_diameter_tip": "Mean of the longest diameter in an axial slice and the longest one perpendicular to it",
    "point_volume": "mm³",
    "point_density": "HU",
    "point_density_tip": "Mean of the CT in it",
    "point_confidence": "Conf.",
    "point_show": "Show it in the slices",
    "point_heat": "Show what drove this result",
    "point_remove": "Remove this segment and its point",
    "point_cut": "It reaches the edge of what the model saw, or of the scan: a part of it may be cut off",
    "point_deleted": "Its point was deleted. Remove the segment, too?",
}


@dataclass
class PointingState:
    """What the panel shows."""

    possible: bool = False
    tool: str = "none"
    obstacle: str = ""
    busy: bool = False
    explain: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)


class PointingPanel(Panel[PointingState]):
    """The tool, and the table of what it found."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, PointingState)
        self._pointing, self._table = Pointing(case.session), NoduleTable(case.session)
        self._aim: slicer.vtkMRMLMarkupsFiducialNode | None = None

    def build(self) -> None:
        """Add tool, switch and table; all of it is there for models that segment what is pointed at."""
        names = self.names
        with html.Div(v_show=(f"{names.possible} || {names.rows}.length",)):
            heading("point_title")
            with html.Div(v_show=(names.possible,)):
                tool_button(
                    "point-aim",
                    tool="aim",
                    chosen=names.tool,
                    icon="mdi-crosshairs-gps",
                    click=self.acts(lambda _tool: self.leave() if self.is_aiming else self.take_up()),
                    disabled=f"!!{names.obstacle}",
                )
                aiming = f"{names.busy} ? t.point_busy : t.point_click"
                note(f"{names.obstacle} || ({names.tool} === 'aim' ? ({aiming}) : t.point_what)", testid="point-note")
                switch("point-explain", model=names.explain, update_modelValue=(self.acts(self._choose), "[$event]"))
            self._build_table()

    def refresh(self) -> None:
        """Take over what was pointed at, and whether the tool can be used now."""
        shown, session = self.shown, self.session
        shown.possible = self._pointing.is_possible
        shown.obstacle = self._pointing.obstacle() if shown.possible else ""
        shown.busy, shown.explain = session.is_busy, session.choices.explain_points
        if self.is_aiming and (not shown.possible or shown.obstacle or self.case.brush.tool != "none"):
            self.leave()
        self._follow_place_mode()
        shown.tool = "aim" if self.is_aiming else "none"
        deleted = {row.key for row in self._table.without_point()}
        colours = {row.key: row.colour for row in session.rows}
        shown.rows = [_as_shown(row, colours[row.key], deleted=row.key in deleted) for row in self._table.rows()]

    def _follow_place_mode(self) -> None:
        """The right mouse button ends placing, and a new list of points takes the next click away."""
        if not self.is_aiming:
            return
        scene = self._aim.GetScene()
        if scene is None or not is_placing(scene):
            self.leave()
        elif not takes_clicks(self._aim):
            self._place()

    @property
    def is_aiming(self) -> bool:
        """Whether the next click in a slice is taken for a nodule."""
        return self._aim is not None

    def take_up(self) -> None:
        """Let the next clicks in the views point at nodules."""
        self.leave()
        # A brush would take the click for a stroke.
        self.case.brush.choose_tool("none")
        self._place()

    def _place(self) -> None:
        """Give the next click to a node of its own; one that left with its scene is made anew."""
        if self._aim is None or self._aim.GetScene() is None:
            self._aim = new_aim(self.session.scene)
            self._aim.AddObserver(self._aim.PointPositionDefinedEvent, lambda *_event: self.case.soon(self._clicked))
        self.case.core.markups_logic.place_node(self._aim, persistent=True)

    def leave(self) -> None:
        """Let clicks move through the scan again."""
        if self._aim is not None:
            aim, self._aim = self._aim, None
            self.case.core.markups_logic.disable_place_mode()
            aim.RemoveAllObservers()
            if aim.GetScene() is not None:
                aim.GetScene().RemoveNode(aim)

    def escape(self) -> None:
        """Leave the tool; without it, stop what is being computed."""
        if self.is_aiming:
            self.leave()
        else:
            self.session.cancel()

    def _clicked(self) -> None:
        if self._aim is None:
            return
        point = last_placed(self._aim)
        self._aim.RemoveAllControlPoints()
        if point is not None and not self.session.is_busy:
            self._pointing.segment_at(point)

    def _choose(self, explain: bool) -> None:
        self.session.choose(explain_points=bool(explain))

    def _remove(self, key: str) -> None:
        name = next(row.name for row in self._table.rows() if row.key == key)
        question = f"Remove '{name}' with its point and its measures? Undo brings it back."
        self.case.dialogs.ask(question, lambda: self._pointing.remove(key))

    def _build_table(self) -> None:
        names = self.names
        table = {"raw_attrs": ['data-testid="point-table"'], "v_show": (f"{names.rows}.length",)}
        with vuetify.VTable(density="compact", classes="results mt-1 bg-transparent", **table):
            with html.Thead(), html.Tr():
                html.Th("{{ t.point_name }}", classes="px-0")
                for text in ("point_diameter", "point_volume", "point_density", "point_confidence"):
                    tip = {"point_volume": "point_volume", "point_confidence": "results_confidence_tip"}
                    title = f':title="t.{tip.get(text, text + "_tip")}"'
                    html.Th(f"{{{{ t.{text} }}}}", classes="px-1 text-right", raw_attrs=[title])
                html.Th("", classes="px-0")
            with (
                html.Tbody(),
                html.Tr(
                    v_for=f"row in {names.rows}", key=("row.key",), raw_attrs=[':data-testid="`point-row-${row.key}`"']
                ),
            ):
                self._build_row()

    def _build_row(self) -> None:
        with html.Td(
            classes="px-0",
            style="white-space:nowrap;cursor:pointer",
            click=(self.acts(self._pointing.show), "[row.key]"),
            raw_attrs=[':title="t.point_show"'],
        ):
            html.Span(style=("`display:inline-block;width:9px;height:9px;background:${row.colour}`",))
            html.Span("{{ row.name }}", classes="ml-1")
            with vuetify.VIcon("mdi-content-cut", v_show=("row.cut",), size="x-small", classes="ml-1", color="warning"):
                hint("point_cut")
        with html.Td(classes="px-1 text-right", style="white-space:nowrap", raw_attrs=[':title="row.diameters"']):
            html.Span("{{ row.diameter }}")
        for value in ("volume", "mean", "confidence"):
            html.Td(f"{{{{ row.{value} }}}}", classes="px-1 text-right")
        with html.Td(classes="px-0 text-right", style="white-space:nowrap"):
            self._row_button("heat", "mdi-fire", self._pointing.explain, "point_heat", disabled=self.names.busy)
            self._row_button("remove", "mdi-delete-outline", self._remove, "point_remove", disabled=self.names.busy)
            html.Div(
                "{{ t.point_deleted }}", v_show=("row.deleted",), classes="text-caption", style="white-space:normal"
            )

    def _row_button(self, name: str, icon: str, action: object, text: str, *, disabled: str) -> None:
        marked = marks("", text)["raw_attrs"][1:]
        with vuetify.VBtn(
            icon=True,
            variant="text",
            size="x-small",
            disabled=(disabled,),
            click=(self.acts(action), "[row.key]"),
            raw_attrs=[f':data-testid="`point-{name}-${{row.key}}`"', *marked, f':title="t.{text}"'],
        ):
            vuetify.VIcon(icon, size="small")


def _as_shown(row: MeasuredNodule, colour: tuple[float, float, float], *, deleted: bool) -> dict[str, Any]:
    red, green, blue = (round(255 * part) for part in colour)
    measures = row.measures
    return {
        "key": row.key,
        "name": row.name,
        "colour": f"#{red:02x}{green:02x}{blue:02x}",
        "diameter": f"{measures.diameter_mm:.1f}",
        "diameters": f"{measures.long_mm:.1f} × {measures.short_mm:.1f} mm; 3D {measures.longest_3d_mm:.1f} mm",
        "volume": f"{measures.volume_mm3:.0f}",
        "mean": f"{measures.mean:.0f}",
        "confidence": "" if row.confidence is None else f"{row.confidence:.2f}",
        "cut": row.cut,
        "deleted": deleted,
    }
