"""The panel that lists the segments of the result, brings earlier results back, and opens the Segment Editor."""

from __future__ import annotations

import types

import qt
import slicer
from slicer.i18n import tr as _

from MedSegAI.Bridge.segment_rows import SegmentRow
from MedSegAI.Bridge.segmentation_nodes import BINARY_LABELMAP
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.problem_line import problems_shown_in, show_sentence
from MedSegAI.Widgets.quiet_widgets import quiet
from MedSegAI.Widgets.table_items import figure_item, fit_height, swatch, tick_item

_NAME, _VOLUME, _CONFIDENCE = range(3)


class ResultsPanel:
    """Shows the current segmentation.

    Args:
        ui: The widgets by name.
        session: The case.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session) -> None:
        self._ui, self._session = ui, session
        self._shown: tuple[object, ...] | None = None
        ui.segmentsTable.setHorizontalHeaderLabels([_("Segment"), _("Volume (mL)"), _("Confidence")])
        ui.segmentsTable.horizontalHeaderItem(_CONFIDENCE).setToolTip(_confidence_explained())
        header = ui.segmentsTable.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(_NAME, qt.QHeaderView.Stretch)
        ui.segmentsTable.verticalHeader().setVisible(False)
        ui.segmentsTable.connect("itemChanged(QTableWidgetItem*)", self._show_or_hide)
        # Sent for a person's choice alone, so not while the scene is closed or loaded and nodes come and go.
        ui.resultSelector.connect("nodeActivated(vtkMRMLNode*)", self._choose)
        ui.editButton.connect("clicked(bool)", self._correct)

    def refresh(self) -> None:
        """Show the current segmentation and its segments; they are measured again only where they changed."""
        session, ui = self._session, self._ui
        node = session.segmentation
        ui.resultSelector.setCurrentNode(node)
        ui.resultSelector.setEnabled(not session.is_busy)
        ui.editButton.setEnabled(node is not None and session.scan is not None)
        now = _state_of(node)
        if now != self._shown:
            self._shown = now
            with quiet(ui.segmentsTable):
                self._fill(session.rows)

    def _fill(self, rows: tuple[SegmentRow, ...]) -> None:
        table = self._ui.segmentsTable
        table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            name = tick_item(row.name, ticked=row.visible)
            name.setData(qt.Qt.UserRole, row.key)
            name.setIcon(swatch(row.colour))
            name.setToolTip(_("{name}: {voxels} voxels. Tick to show it.").format(name=row.name, voxels=row.voxels))
            volume = figure_item(f"{row.volume_ml:.2f}")
            confidence = figure_item("" if row.confidence is None else f"{row.confidence:.2f}")
            confidence.setToolTip(_confidence_explained())
            for column, item in ((_NAME, name), (_VOLUME, volume), (_CONFIDENCE, confidence)):
                table.setItem(number, column, item)
        table.setVisible(bool(rows))
        fit_height(table)

    def _choose(self, node: slicer.vtkMRMLSegmentationNode | None) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.show_result(node)

    def _show_or_hide(self, item: qt.QTableWidgetItem) -> None:
        display = self._session.segmentation.GetDisplayNode()
        if item.column() == _NAME and display is not None:
            display.SetSegmentVisibility(item.data(qt.Qt.UserRole), item.checkState() == qt.Qt.Checked)
            self._shown = _state_of(self._session.segmentation)

    def _correct(self, _checked: bool = False) -> None:
        if not open_segment_editor(self._session.segmentation, self._session.scan):
            show_sentence(self._ui.problemLabel, _("Slicer's Segment Editor is not available here."))


def open_segment_editor(segmentation: slicer.vtkMRMLSegmentationNode, scan: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Go to Slicer's Segment Editor with these nodes chosen; False where there is none."""
    module = getattr(slicer.modules, "segmenteditor", None)
    if module is None:
        return False
    slicer.util.selectModule("SegmentEditor")
    editor = module.widgetRepresentation().self().editor
    editor.setSegmentationNode(segmentation)
    editor.setSourceVolumeNode(scan)
    return True


def _state_of(node: slicer.vtkMRMLSegmentationNode | None) -> tuple[object, ...]:
    """What the table depends on: the segments, their voxels, what views show of them, and where they lie."""
    if node is None:
        return ()
    segmentation = node.GetSegmentation()
    segments = (segmentation.GetNthSegment(number) for number in range(segmentation.GetNumberOfSegments()))
    # Painting changes a segment's voxels in place, and only they tell of it.
    voxels = (segment.GetRepresentation(BINARY_LABELMAP) for segment in segments)
    parts = (segmentation, node.GetDisplayNode(), node.GetParentTransformNode(), *voxels)
    return (node.GetID(), *(0 if part is None else part.GetMTime() for part in parts))


def _confidence_explained() -> str:
    return _(
        "The network's mean softmax probability of this label over its voxels. It is not calibrated: it does not say "
        "how often the label is right."
    )
