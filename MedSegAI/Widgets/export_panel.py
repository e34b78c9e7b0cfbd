"""The panel that saves results as files; large ones are written beside the main thread."""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable
from pathlib import Path

import qt
from slicer.i18n import tr as _

from MedSegAI.Session.dicom_export import (
    IDENTITY_KEPT,
    IDENTITY_REMOVED,
    dicom_name,
    dicom_obstacle,
    dicom_writer,
)
from MedSegAI.Session.exports import heat_map_writer, nodules_writer, segmentation_writer, volumes_writer
from MedSegAI.Session.nodules import NoduleTable
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.background_writing import BackgroundWriting, Writer
from MedSegAI.Widgets.problem_line import problems_shown_in


class ExportPanel:
    """Saves the results.

    Args:
        ui: The widgets by name.
        session: The case.
        writing: Called once something is being written; :meth:`poll` wants to be called from then on.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session, *, writing: Callable[[], None]) -> None:
        self._ui, self._session, self._nodules = ui, session, NoduleTable(session)
        self._writing = BackgroundWriting(ui.exportNote, ui.problemLabel, begun=writing)
        ui.saveSegmentationButton.connect("clicked(bool)", self._save_segmentation)
        ui.saveHeatMapButton.connect("clicked(bool)", self._save_heat_map)
        ui.saveVolumesButton.connect("clicked(bool)", self._save_volumes)
        ui.saveNodulesButton.connect("clicked(bool)", self._save_nodules)
        ui.saveSceneButton.connect("clicked(bool)", self._save_scene)
        ui.saveDicomButton.connect("clicked(bool)", self._save_dicom)
        ui.deidentifyCheck.connect("toggled(bool)", lambda _checked: self.refresh())

    @property
    def is_writing(self) -> bool:
        """Whether a file is being written."""
        return self._writing.is_under_way

    def refresh(self) -> None:
        """Offer what there is."""
        session, ui = self._session, self._ui
        has_segments = session.segmentation is not None and not self.is_writing
        ui.saveSegmentationButton.setEnabled(has_segments)
        ui.saveVolumesButton.setEnabled(has_segments)
        ui.saveNodulesButton.setVisible(bool(self._nodules.rows()))
        ui.saveNodulesButton.setEnabled(has_segments)
        ui.saveHeatMapButton.setEnabled(session.heat_map is not None and not self.is_writing)
        ui.saveSceneButton.setEnabled(not session.is_busy and not self.is_writing)
        obstacle = dicom_obstacle(session)
        ui.saveDicomButton.setEnabled(not obstacle and not self.is_writing)
        for widget in (ui.deidentifyCheck, ui.contoursCheck):
            widget.setEnabled(not obstacle)
        identity = _(IDENTITY_REMOVED) if ui.deidentifyCheck.checked else _(IDENTITY_KEPT)
        ui.dicomNote.setText(obstacle or identity)

    def poll(self, *, timeout: float = 0.0) -> None:
        """Wait up to ``timeout`` seconds for the file that is being written, and tell how that ended."""
        if self._writing.poll(timeout=timeout):
            self.refresh()

    def wait(self) -> None:
        """Wait until nothing is being written."""
        while self.is_writing:
            self.poll(timeout=1.0)

    def _save_segmentation(self, _checked: bool = False) -> None:
        self._save(segmentation_writer, _("Save the segmentation"), ".seg.nrrd", _("Segmentation (*.seg.nrrd)"))

    def _save_heat_map(self, _checked: bool = False) -> None:
        self._save(heat_map_writer, _("Save the heat map"), ".nrrd", _("Volume (*.nrrd *.nii.gz)"))

    def _save_volumes(self, _checked: bool = False) -> None:
        self._save(volumes_writer, _("Save the volumes"), ".csv", _("Table (*.csv)"))

    def _save_nodules(self, _checked: bool = False) -> None:
        self._save(nodules_writer, _("Save the measures"), "-nodules.csv", _("Table (*.csv)"))

    def _save(self, writer_of: Callable[[Session], Writer], title: str, ending: str, kinds: str) -> None:
        path = self._ask(title, ending, kinds)
        if path is None:
            return
        with problems_shown_in(self._ui.problemLabel):
            writer = writer_of(self._session)
            self._writing.begin(path, writer, told=_saved_as(path))
            self.refresh()

    def _save_dicom(self, _checked: bool = False) -> None:
        chosen = qt.QFileDialog.getExistingDirectory(self._ui.exportSection, _("Where the folder of DICOM files goes"))
        if not chosen:
            return
        with_contours, deidentified = self._ui.contoursCheck.checked, self._ui.deidentifyCheck.checked
        with problems_shown_in(self._ui.problemLabel):
            writer = dicom_writer(self._session, with_contours=with_contours, deidentified=deidentified)
            path = _new_folder_in(Path(chosen), dicom_name(self._session, deidentified=deidentified))
            self._writing.begin(path, writer, told=_saved_as(path))
            self.refresh()

    def _save_scene(self, _checked: bool = False) -> None:
        path = self._ask(_("Save everything"), ".mrb", _("Slicer scene (*.mrb)"))
        if path is None:
            return
        self._ui.exportNote.setText("")
        with problems_shown_in(self._ui.problemLabel):
            self._session.save(path)
            self._ui.exportNote.setText(_saved_as(path))

    def _ask(self, title: str, ending: str, kinds: str) -> Path | None:
        scan = self._session.scan
        proposed = f"{scan.GetName() if scan is not None else 'MedSegAI'}{ending}"
        chosen = qt.QFileDialog.getSaveFileName(self._ui.exportSection, title, proposed, kinds)
        if not chosen:
            return None
        return Path(chosen if Path(chosen).suffixes else f"{chosen}{ending}")


def _new_folder_in(place: Path, name: str) -> Path:
    """A path that does not exist yet, for DICOM files."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(path for path in (place / one for one in names) if not path.exists())


def _saved_as(path: Path) -> str:
    return _("Saved as {path}").format(path=path)
