"""The segments of the current result: colour, name, volume, confidence, and whether they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import slicer
from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Bridge.rater_nodes import RATER_ATTRIBUTE
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.segment_rows import SegmentRow
from MedSegAI.Web.case.controls import choice, heading, marks, note
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "results_title": "Result",
    "results_none": "Nothing has been segmented yet.",
    "results_choice": "Result",
    "results_choice_tip": "Earlier results are kept; the one chosen here is shown, explained and corrected",
    "results_segment": "Segment",
    "results_volume": "Volume",
    "results_confidence": "Confidence",
    "results_confidence_tip": "Mean probability that the model gave to its own voxels; not a measure of correctness",
    "results_show": "Show or hide this segment",
}


@dataclass
class ResultsState:
    """What the panel shows."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    result: str = ""
    results: list[dict[str, str]] = field(default_factory=list)


class ResultsPanel(Panel[ResultsState]):
    """The table of segments."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, ResultsState)

    def build(self) -> None:
        """Add the table."""
        names = self.names
        heading("results_title")
        note("t.results_none", shown_if=f"!{names.results}.length")
        with html.Div(v_show=(f"{names.results}.length > 1",)):
            choice(
                "results-choice",
                model=names.result,
                items=names.results,
                update_modelValue=(self.acts(self._choose), "[$event]"),
            )
        table = {"raw_attrs": ['data-testid="results-table"'], "v_show": (f"{names.rows}.length",)}
        with vuetify.VTable(density="compact", classes="results mt-1 bg-transparent", **table):
            with html.Thead(), html.Tr():
                html.Th("", classes="px-0")
                html.Th("{{ t.results_segment }}", classes="px-1")
                html.Th("{{ t.results_volume }}", classes="px-1 text-right")
                html.Th(
                    "{{ t.results_confidence }}",
                    classes="px-1 text-right",
                    style="white-space:nowrap",
                    raw_attrs=[':title="t.results_confidence_tip"'],
                )
            with (
                html.Tbody(),
                html.Tr(v_for=f"row in {names.rows}", key=("row.key",), raw_attrs=[':data-testid="`row-${row.key}`"']),
            ):
                with html.Td(classes="px-0"):
                    self._eye()
                with html.Td(classes="px-1", style="white-space:nowrap"):
                    html.Span(style=("`display:inline-block;width:10px;height:10px;background:${row.colour}`",))
                    html.Span("{{ row.name }}", classes="ml-2")
                html.Td("{{ row.volume }}", classes="px-1 text-right", style="white-space:nowrap")
                html.Td("{{ row.confidence }}", classes="px-1 text-right")

    def refresh(self) -> None:
        """Take over the rows."""
        segmentation = self.session.segmentation
        self.shown.results = [{"title": node.GetName(), "value": node.GetID()} for node in self._results()]
        self.shown.result = "" if segmentation is None else segmentation.GetID()
        self.shown.rows = [_as_shown(row) for row in self.session.rows]

    def _results(self) -> list[slicer.vtkMRMLSegmentationNode]:
        """The segmentations of this scan, newest first, but for those of the experts' table and one that grows."""
        scan = self.session.scan
        nodes = nodes_of_class(self.session.scene, "vtkMRMLSegmentationNode")
        role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
        nodes = [node for node in nodes if node.GetAttribute(RATER_ATTRIBUTE) is None and not node.GetHideFromEditors()]
        return [node for node in reversed(nodes) if scan is not None and node.GetNodeReference(role) is scan]

    def _choose(self, node_id: str) -> None:
        self.session.show_result(self.session.scene.GetNodeByID(node_id) if node_id else None)

    def _eye(self) -> None:
        show = self.acts(self._show)
        marked = marks("", "results_show")["raw_attrs"][1:]
        with vuetify.VBtn(
            icon=True,
            variant="text",
            size="x-small",
            click=(show, "[row.key, !row.visible]"),
            raw_attrs=[':data-testid="`eye-${row.key}`"', *marked, ':title="t.results_show"'],
        ):
            vuetify.VIcon("{{ row.visible ? 'mdi-eye' : 'mdi-eye-off' }}", size="small")

    def _show(self, key: str, visible: bool) -> None:
        display = self.session.segmentation.GetDisplayNode()
        display.SetSegmentVisibility(key, visible)
        self.case.show_soon()


def _as_shown(row: SegmentRow) -> dict[str, Any]:
    red, green, blue = (round(255 * part) for part in row.colour)
    return {
        "key": row.key,
        "name": row.name,
        "colour": f"#{red:02x}{green:02x}{blue:02x}",
        "volume": f"{row.volume_ml:.2f} mL",
        "voxels": row.voxels,
        "confidence": "" if row.confidence is None else f"{row.confidence:.2f}",
        "visible": row.visible,
    }
