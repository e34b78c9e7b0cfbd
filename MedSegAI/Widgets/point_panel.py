"""The panel that lets the user point at nodules, and lists what was measured of each."""

from __future__ import annotations

import types
from collections.abc import Callable

import qt
import slicer
from slicer.i18n import tr as _

from MedSegAI.Bridge.point_lists import is_placing, last_placed, new_aim, takes_clicks
from MedSegAI.Logic.report.measured_nodules import MeasuredNodule
from MedSegAI.Session.nodules import NoduleTable
from MedSegAI.Session.pointing import Pointing
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.problem_line import problems_shown_in, show_sentence
from MedSegAI.Widgets.quiet_widgets import quiet
from MedSegAI.Widgets.region_panel import start_placing
from MedSegAI.Widgets.table_items import figure_item, fit_height, swatch, text_item

_NAME, _DIAMETER, _VOLUME, _MEAN, _CONFIDENCE = range(5)


class PointPanel:
    """Points at nodules.

    Args:
        ui: The widgets by name.
        session: The case.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session) -> None:
        self._ui, self._session = ui, session
        self._pointing, self._table = Pointing(session), NoduleTable(session)
        self._aim: slicer.vtkMRMLMarkupsFiducialNode | None = None
        self._rows_shown = 0
        ui.pointsTable.setHorizontalHeaderLabels([_("Nodule"), _("Ø mm"), _("mm³"), _("HU"), _("Conf.")])
        for column, meaning in _columns_explained().items():
            ui.pointsTable.horizontalHeaderItem(column).setToolTip(meaning)
        header = ui.pointsTable.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(_NAME, qt.QHeaderView.Stretch)
        ui.pointsTable.verticalHeader().setVisible(False)
        ui.pointsTable.connect("itemSelectionChanged()", self._show_chosen)
        ui.pointButton.connect("toggled(bool)", self._toggle)
        ui.explainPointsCheck.connect("toggled(bool)", self._choose)
        ui.pointHeatButton.connect("clicked(bool)", self._explain)
        ui.pointRemoveButton.connect("clicked(bool)", self._remove)

    @property
    def is_aiming(self) -> bool:
        """Whether the next click in a view is taken for a nodule."""
        return self._aim is not None

    def refresh(self) -> None:
        """Show what was pointed at, and whether anything can be pointed at now."""
        session, ui = self._session, self._ui
        possible, rows = self._pointing.is_possible, self._table.rows()
        obstacle = self._pointing.obstacle() if possible else ""
        ui.pointSection.setVisible(possible or bool(rows))
        self._follow_slicer(possible=possible and not obstacle)
        with quiet(ui.pointButton, ui.explainPointsCheck, ui.pointsTable):
            ui.pointButton.setChecked(self.is_aiming)
            ui.explainPointsCheck.setChecked(session.choices.explain_points)
            self._fill(rows)
        ui.pointButton.setEnabled(possible and not obstacle)
        for button in (ui.pointHeatButton, ui.pointRemoveButton):
            button.setEnabled(bool(rows) and not session.is_busy)
        show_sentence(ui.pointNote, self._note(obstacle, possible=possible))

    def leave(self) -> None:
        """Let clicks move through the scan again."""
        if self._aim is not None:
            aim, self._aim = self._aim, None
            aim.RemoveAllObservers()
            scene = aim.GetScene()
            interaction = slicer.app.applicationLogic().GetInteractionNode()
            if interaction is not None:
                interaction.SwitchToViewTransformMode()
            if scene is not None:
                scene.RemoveNode(aim)

    def escape(self, otherwise: Callable[[], None]) -> None:
        """Leave the tool; do something else where it was not taken up."""
        if self.is_aiming:
            self.leave()
            self.refresh()
        else:
            otherwise()

    def close(self) -> None:
        """Leave no node and no observer behind."""
        self.leave()
        self._pointing.close()

    def clicked(self) -> None:
        """Segment what the last click pointed at; one that comes while something is computed is not taken."""
        if self._aim is None:
            return
        point = last_placed(self._aim)
        self._aim.RemoveAllControlPoints()
        if point is not None and not self._session.is_busy:
            with problems_shown_in(self._ui.problemLabel):
                self._pointing.segment_at(point)

    def _toggle(self, checked: bool) -> None:
        self.leave()
        if checked:
            self._place()
        self.refresh()

    def _place(self) -> None:
        if self._aim is None or self._aim.GetScene() is None:
            self._aim = new_aim(self._session.scene)
            # The view that tells of the click is still at work with the point.
            self._aim.AddObserver(
                self._aim.PointPositionDefinedEvent, lambda *_event: qt.QTimer.singleShot(0, self.clicked)
            )
        start_placing(self._aim, again_and_again=True)

    def _follow_slicer(self, *, possible: bool) -> None:
        """Slicer ends placing by itself (Esc, or another tool), and gives the next click to any new list of points."""
        if not self.is_aiming:
            return
        scene = self._aim.GetScene()
        if not possible or scene is None or not is_placing(scene):
            self.leave()
        elif not takes_clicks(self._aim):
            self._place()

    def _note(self, obstacle: str, *, possible: bool) -> str:
        deleted = self._table.without_point()
        if deleted:
            text = _("The point of '{name}' was deleted. Remove takes its segment away, too.")
            return text.format(name=deleted[0].name)
        if obstacle or not possible:
            return obstacle
        if self.is_aiming:
            return _("Click on a nodule in a slice. Esc ends.")
        return _("Segments what is pointed at; it does not look for nodules.")

    def _fill(self, rows: tuple[MeasuredNodule, ...]) -> None:
        table, chosen = self._ui.pointsTable, self._chosen()
        colours = {row.key: row.colour for row in self._session.rows}
        table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            measures = row.measures
            name = text_item(row.name)
            name.setData(qt.Qt.UserRole, row.key)
            name.setIcon(swatch(colours[row.key]))
            if row.cut:
                name.setText(f"{row.name} ✂")
                name.setToolTip(
                    _("It reaches the edge of what the model saw, or of the scan: a part of it may be cut off")
                )
            diameter = figure_item(f"{measures.diameter_mm:.1f}")
            both = _("{long:.1f} x {short:.1f} mm in an axial slice; {space:.1f} mm in space.")
            diameter.setToolTip(
                both.format(long=measures.long_mm, short=measures.short_mm, space=measures.longest_3d_mm)
            )
            sure = "" if row.confidence is None else f"{row.confidence:.2f}"
            figures = (figure_item(f"{measures.volume_mm3:.0f}"), figure_item(f"{measures.mean:.0f}"))
            for column, item in enumerate((name, diameter, *figures, figure_item(sure))):
                table.setItem(number, column, item)
        keys = [row.key for row in rows]
        deleted = [row.key for row in self._table.without_point()]
        is_new = len(rows) > self._rows_shown
        self._rows_shown = len(rows)
        wanted = next(iter(deleted), chosen if chosen in keys and not is_new else next(reversed(keys), ""))
        if wanted:
            table.selectRow(keys.index(wanted))
        table.setVisible(bool(rows))
        fit_height(table)

    def _chosen(self) -> str:
        item = self._ui.pointsTable.item(self._ui.pointsTable.currentRow(), _NAME)
        return "" if item is None else item.data(qt.Qt.UserRole)

    def _show_chosen(self) -> None:
        with problems_shown_in(self._ui.problemLabel):
            if key := self._chosen():
                self._pointing.show(key)

    def _choose(self, checked: bool) -> None:
        self._session.choose(explain_points=checked)

    def _explain(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._pointing.explain(self._chosen())

    def _remove(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._pointing.remove(self._chosen())


def _columns_explained() -> dict[int, str]:
    return {
        _DIAMETER: _("Mean of the longest diameter in an axial slice and the longest one perpendicular to it"),
        _VOLUME: _("Volume"),
        _MEAN: _("Mean of the CT in it"),
        _CONFIDENCE: _("Mean probability that the model gave to its own voxels; not a measure of correctness"),
    }
