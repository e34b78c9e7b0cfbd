"""The panel that chooses which part of the scan is segmented, and places the box or the point for it."""

from __future__ import annotations

import functools
import types

import slicer
from slicer.i18n import tr as _

from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Session.choices import RegionChoice
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.problem_line import problems_shown_in, show_sentence
from MedSegAI.Widgets.quiet_widgets import quiet


class RegionPanel:
    """Chooses the region.

    Args:
        ui: The widgets by name.
        session: The case.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session) -> None:
        self._ui, self._session = ui, session
        self._radios = {
            RegionChoice.FIND: ui.findRadio,
            RegionChoice.WHOLE: ui.wholeRadio,
            RegionChoice.ROI: ui.roiRadio,
            RegionChoice.POINT: ui.pointRadio,
        }
        for region, radio in self._radios.items():
            radio.connect("clicked(bool)", functools.partial(self._choose, region))
        ui.placeRoiButton.connect("clicked(bool)", self._place_roi)
        # Sent for a person's choice alone, so not while the scene is closed or loaded and nodes come and go.
        ui.roiSelector.connect("nodeActivated(vtkMRMLNode*)", self._use_roi)
        ui.placePointButton.connect("clicked(bool)", self._place_point)

    def refresh(self) -> None:
        """Show what is chosen, and offer only what the model can do."""
        session, ui = self._session, self._ui
        takes_points, finds = self._abilities()
        chosen = session.choices.region
        with quiet(*self._radios.values()):
            self._radios[chosen].setChecked(True)
        for radio in self._radios.values():
            radio.setEnabled(not session.is_busy)
        # A model that segments what is pointed at has no other region.
        ui.regionSection.setVisible(not self._needs_point())
        has_scan = session.scan is not None
        ui.placeRoiButton.setEnabled(has_scan and chosen is RegionChoice.ROI)
        ui.placePointButton.setEnabled(has_scan and chosen is RegionChoice.POINT)
        for widget in (ui.roiLabel, ui.roiSelector):
            widget.setVisible(chosen is RegionChoice.ROI)
            widget.setEnabled(not session.is_busy)
        ui.roiSelector.setCurrentNode(session.roi)
        ui.pointRadio.setVisible(takes_points or chosen is RegionChoice.POINT)
        ui.placePointButton.setVisible(takes_points or chosen is RegionChoice.POINT)
        show_sentence(ui.regionNote, self._note(chosen, finds=finds))

    def _abilities(self) -> tuple[bool, bool]:
        """Whether the model segments around a point, and whether it finds its structure."""
        try:
            card = self._session.model.card
        except MedSegAIError:
            return False, False
        return card.point_box_mm is not None, card.localiser is not None

    def _needs_point(self) -> bool:
        try:
            return self._session.model.card.needs_point
        except MedSegAIError:
            return False

    def _note(self, chosen: RegionChoice, *, finds: bool) -> str:
        session = self._session
        if chosen is RegionChoice.FIND and not finds:
            return _("This model cannot look for its structure; the whole scan is taken.")
        if chosen is RegionChoice.ROI:
            inside = _("Inside '{name}'.")
            return inside.format(name=session.roi.GetName()) if session.roi is not None else _("No box yet.")
        if chosen is RegionChoice.POINT:
            around = _("Around the last point of '{name}'.")
            placed = session.point is not None and session.point.GetNumberOfControlPoints() > 0
            return around.format(name=session.point.GetName()) if placed else _("No point yet.")
        return ""

    def _choose(self, region: RegionChoice, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.choose(region=region)

    def _place_roi(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.place_roi().SetDisplayVisibility(True)

    def _use_roi(self, node: slicer.vtkMRMLMarkupsROINode | None) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.use_roi(node)

    def _place_point(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            start_placing(self._session.place_point())


def start_placing(node: slicer.vtkMRMLMarkupsNode, *, again_and_again: bool = False) -> None:
    """Let the next click in a view place a control point of this node; where there are no views, nothing happens.

    Args:
        node: The node.
        again_and_again: Whether each click after it does so, too, until the user leaves.
    """
    application = slicer.app.applicationLogic()
    selection, interaction = application.GetSelectionNode(), application.GetInteractionNode()
    if selection is None or interaction is None:
        return
    selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
    selection.SetActivePlaceNodeID(node.GetID())
    if again_and_again:
        interaction.SwitchToPersistentPlaceMode()
    else:
        interaction.SwitchToSinglePlaceMode()
