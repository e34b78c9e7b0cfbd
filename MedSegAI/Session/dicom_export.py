"""A case's results as DICOM objects that belong to the study of its scan, for a PACS."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from MedSegAI.Bridge.scan_attributes import SourceSeries, source_of
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, read_provenance
from MedSegAI.Bridge.volume_nodes import node_to_volume, world_grid
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.files.dicom.deidentify.deidentify_folder import deidentify_folder
from MedSegAI.Logic.files.dicom.export import DicomObject, export_case
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.private_folder import private_folder
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Session.case_results import HEAT_TARGET_ATTRIBUTE
from MedSegAI.Session.exports import name_for_files
from MedSegAI.Session.prepared_scans import scan_as_read
from MedSegAI.Session.session import Session

FolderWriter = Callable[[str | os.PathLike[str]], tuple[str, ...]]
"""Writes into a new folder, and says what the user should know of what was written."""

IDENTITY_KEPT = (
    "The files carry the patient's name, number and dates as the scan's own DICOM files do: they belong to one study."
)
"""What a face says where results are exported as they are."""
IDENTITY_REMOVED = (
    "Names, numbers, dates and UIDs are taken out or replaced by the basic profile of DICOM PS3.15, in the results and "
    "in the scan's own images, which go along so that the results still belong to something. A face, and text that is "
    "written into the pixels, stay as they are: look at the images before they leave."
)
"""What a face says where the identity is taken away first."""


def source_series(session: Session) -> SourceSeries | None:
    """The DICOM files that the scan was read from, before any preparation; None where it came from others.

    Where these are gone, as those of a case that was saved elsewhere, they are the files of the same series that was
    opened again.
    """
    source = None if session.scan is None else source_of(scan_as_read(session.scan))
    if source is None or source.folder.exists():
        return source
    opened = (source_of(node) for node in nodes_of_class(session.scene, "vtkMRMLScalarVolumeNode"))
    again = (one for one in opened if one is not None and one.uid == source.uid and one.folder.exists())
    return next(again, source)


def dicom_obstacle(session: Session) -> str:
    """Why the case cannot be exported as DICOM, as a sentence; empty where it can."""
    if session.segmentation is None:
        return "There is no segmentation to export. Segment a scan first."
    source = source_series(session)
    if source is None:
        return "The scan was not read from DICOM files, so there is no study that its results could belong to."
    if not source.folder.exists():
        return (
            "The DICOM files that the scan was read from are no longer there. "
            "Open them again, and then choose this scan and its result."
        )
    return ""


def dicom_name(session: Session, *, deidentified: bool) -> str:
    """What the exported DICOM files are called together; a scan's name may tell of the patient."""
    return f"{'deidentified' if deidentified else name_for_files(session)}-dicom"


def dicom_writer(session: Session, *, with_contours: bool = False, deidentified: bool = False) -> FolderWriter:
    """Writes segmentation, measurements and, where there is one, the heat map as DICOM into a new folder.

    The writer touches no scene. It raises as :func:`MedSegAI.Logic.files.dicom.export.export_case` and
    ``deidentify_folder``, and leaves nothing behind where it fails.

    Args:
        session: The case.
        with_contours: Whether the segments' outlines (RTSTRUCT) are written, too.
        deidentified: Whether the identity is taken out; the scan's own images then go along, with the same new UIDs.

    Raises:
        InputError: if there is nothing to export, or no DICOM series that it could belong to.
    """
    if obstacle := dicom_obstacle(session):
        raise InputError(obstacle)
    source, node, heat = source_series(session), session.segmentation, session.heat_map
    labels, table = node_to_segmentation(node, grid=world_grid(session.scan))
    segmentation = Segmentation(labels, table, read_provenance(node))
    objects = [DicomObject.SEGMENTATION, DicomObject.REPORT]
    objects += [DicomObject.HEAT_MAP] if heat is not None else []
    objects += [DicomObject.CONTOURS] if with_contours else []
    # That of a place that was pointed at is kept around that place alone.
    heat_map = None if heat is None else resample(node_to_volume(heat), labels.grid, background=0.0)
    heat_label = "" if heat is None else heat.GetAttribute(HEAT_TARGET_ATTRIBUTE) or ""
    creator = session.choices.rater

    def write(folder: str | os.PathLike[str]) -> tuple[str, ...]:
        export_case(
            folder,
            segmentation,
            source=source.folder,
            series=source.uid,
            objects=objects,
            heat_map=heat_map,
            heat_label=heat_label,
            creator=creator,
        )
        return ()

    return partial(_write_deidentified, write, source) if deidentified else write


def _write_deidentified(write: FolderWriter, source: SourceSeries, folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """The results and the images that they refer to, de-identified together, so that their new UIDs agree."""
    with private_folder() as room:
        study = room / "study"
        study.mkdir()
        write(study / "results")
        images = next(found.files for found in find_series(source.folder) if found.uid == source.uid)
        (study / "scan").mkdir()
        for number, path in enumerate(images):
            (study / "scan" / f"{number}.dcm").symlink_to(path.resolve())
        return deidentify_folder(study, folder).warnings


def zipped(write: FolderWriter) -> FolderWriter:
    """A writer that puts what another one writes into a folder into one zip file."""

    def write_zip(path: str | os.PathLike[str]) -> tuple[str, ...]:
        with private_folder() as room, write_beside(Path(path)) as temporary:
            folder = room / "dicom"
            said = write(folder)
            shutil.move(shutil.make_archive(str(room / "packed"), "zip", folder), temporary)
            return said

    return write_zip
