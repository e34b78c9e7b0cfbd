"""Downloads: the segmentation, the heat map, the table of volumes, and the whole case as a scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trame.widgets import client, html

from MedSegAI.Session.dicom_export import (
    IDENTITY_KEPT,
    IDENTITY_REMOVED,
    FolderWriter,
    dicom_name,
    dicom_obstacle,
    dicom_writer,
    zipped,
)
from MedSegAI.Session.exports import (
    heat_map_writer,
    name_for_files,
    nodules_writer,
    segmentation_writer,
    volumes_writer,
)
from MedSegAI.Session.nodules import NoduleTable
from MedSegAI.Web.case.controls import button, heading, note, switch
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Session.session import Session
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "export_title": "Download",
    "export_segmentation": "Segmentation (.seg.nrrd)",
    "export_segmentation_tip": "The current result with corrections, names, colours and codes; opens in 3D Slicer",
    "export_volumes": "Volumes (.csv)",
    "export_volumes_tip": "The size of every segment as a table",
    "export_nodules": "Measures of nodules (.csv)",
    "export_nodules_tip": "Diameters, volume, mean HU and confidence of what was pointed at, as a table",
    "export_heat_nrrd": "Heat map (.nrrd)",
    "export_heat_nrrd_tip": "The heat map, 0 to 1, with a record of how it was made",
    "export_heat_nifti": "Heat map (.nii.gz)",
    "export_heat_nifti_tip": "The heat map, 0 to 1, for programs that read NIfTI",
    "export_scene": "Whole case (.mrb)",
    "export_scene_tip": "Scan, results, heat map and choices; opens here again, and in 3D Slicer",
    "export_writing": "Writing",
    "export_dicom_title": "For a PACS",
    "export_dicom": "DICOM (SEG, SR, heat map)",
    "export_dicom_tip": "A zip with segmentation, measurements and heat map as DICOM objects of the scan's own study",
    "export_deidentify": "Take out the identity",
    "export_deidentify_tip": "De-identify the results and the scan's own images (PS3.15 basic profile), which go along",
    "export_identity_kept": IDENTITY_KEPT,
    "export_identity_removed": IDENTITY_REMOVED,
    "export_contours": "Outlines (RTSTRUCT), too",
    "export_contours_tip": "For radiotherapy planning; only where every slice of a segment is a simple outline",
}


@dataclass
class ExportState:
    """What the panel shows."""

    has_segmentation: bool = False
    has_heat_map: bool = False
    has_nodules: bool = False
    has_scan: bool = False
    writing: str = ""
    dicom_obstacle: str = ""
    contours: bool = False
    deidentify: bool = False
    said: str = ""


class ExportPanel(Panel[ExportState]):
    """The downloads."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, ExportState)
        self._nodules = NoduleTable(case.session)

    def build(self) -> None:
        """Add one button for each kind of file."""
        names = self.names
        heading("export_title")
        self._save = client.JSEval(exec="window.medsegai.save($event)")
        with html.Div(classes="d-flex flex-column ga-2 align-start"):
            self._button("export-segmentation", names.has_segmentation, ".seg.nrrd", segmentation_writer)
            self._button("export-volumes", names.has_segmentation, ".csv", volumes_writer)
            with html.Div(v_show=(names.has_nodules,)):
                self._button("export-nodules", names.has_nodules, "-nodules.csv", nodules_writer)
            self._button("export-heat-nrrd", names.has_heat_map, "-heat.nrrd", heat_map_writer)
            self._button("export-heat-nifti", names.has_heat_map, "-heat.nii.gz", heat_map_writer)
            self._button("export-scene", names.has_scan, ".mrb", None)
        heading("export_dicom_title")
        with html.Div(v_show=(f"!{names.dicom_obstacle}",)):
            switch("export-deidentify", model=names.deidentify)
            note(f"{names.deidentify} ? t.export_identity_removed : t.export_identity_kept", testid="export-identity")
            switch("export-contours", model=names.contours)
        with html.Div(classes="d-flex flex-column ga-2 align-start mt-1"):
            button(
                "export-dicom",
                icon="mdi-download",
                # What was chosen comes along: the state may arrive after the click, and a name must not leave by that.
                click=(self._write_dicom, f"[{names.deidentify}, {names.contours}]"),
                disabled=(f"!!{names.dicom_obstacle} || !!{names.writing}",),
            )
        note(names.said, testid="export-said", shown_if=f"!!{names.said}")
        note(names.dicom_obstacle, testid="export-dicom-obstacle", shown_if=f"!!{names.dicom_obstacle}")
        note(f"t.export_writing + ' ' + {names.writing}", shown_if=f"!!{names.writing}", testid="export-writing")

    def refresh(self) -> None:
        """Take over what there is to write."""
        session = self.session
        self.shown.has_segmentation = session.segmentation is not None
        self.shown.has_heat_map = session.heat_map is not None
        self.shown.has_nodules = bool(self._nodules.rows())
        self.shown.has_scan = session.scan is not None
        self.shown.dicom_obstacle = dicom_obstacle(session)

    async def _write_dicom(self, deidentified: bool, with_contours: bool) -> None:
        def writer(session: Session) -> FolderWriter:
            return zipped(dicom_writer(session, with_contours=with_contours, deidentified=deidentified))

        name = f"{dicom_name(self.session, deidentified=deidentified)}.zip"
        await self.case.attempt_long(lambda: self._write(name, writer))

    def _button(self, testid: str, possible: str, ending: str, writer: Callable | None) -> None:
        async def write() -> None:
            await self.case.attempt_long(lambda: self._write(f"{name_for_files(self.session)}{ending}", writer))

        button(testid, icon="mdi-download", click=write, disabled=(f"!({possible}) || !!{self.names.writing}",))

    async def _write(self, name: str, writer: Callable | None) -> None:
        path = self.case.files.new_folder() / name
        with self.case.server.state:
            self.shown.writing, self.shown.said = path.name, ""
        said: tuple[str, ...] | None = ()
        try:
            if writer is None:
                self.session.save(path)
            else:
                said = await self.case.in_thread(writer(self.session), path)
        finally:
            with self.case.server.state:
                self.shown.writing, self.shown.said = "", " ".join(said or ())
        self._offer(path)

    def _offer(self, path: Path) -> None:
        self._save.exec(self.case.files.offer(path))
