"""The MRML scene: Slicer's own inside Slicer, a real one of our own outside it; written to and read from ``.mrb``."""

from __future__ import annotations

import logging
import os
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import slicer
from vtkmodules.vtkCommonCore import vtkCollection

from MedSegAI.Bridge.vtk_messages import caught_vtk_messages
from MedSegAI.Logic.errors import InputError, StorageError
from MedSegAI.Logic.files.atomic import write_beside

_log = logging.getLogger(__name__)

# Without these logics the scene does not know the node classes, converters (label map to surface) and readers that
# belong to them. The names are those under which Slicer's own modules register.
_MODULE_LOGICS = {
    "Units": "vtkSlicerUnitsLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Models": "vtkSlicerModelsLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "VolumeRendering": "vtkSlicerVolumeRenderingLogic",
}


@dataclass(frozen=True, eq=False)
class OpenScene:
    """A scene and what must live as long as it does.

    Args:
        mrml: The vtkMRMLScene; what the other modules of the bridge take.
        application: The vtkSlicerApplicationLogic that views and module logics hang from.
        logics: Module logics by name; empty inside Slicer, which keeps its own.
        unpacking: The private folder scenes are unpacked in; removed with this object. None inside Slicer.
    """

    mrml: slicer.vtkMRMLScene
    application: slicer.vtkSlicerApplicationLogic
    logics: dict[str, slicer.vtkMRMLAbstractLogic] = field(default_factory=dict)
    unpacking: tempfile.TemporaryDirectory | None = None


def inside_slicer() -> bool:
    """Whether this is the Slicer application (or a host that fills ``slicer.app`` like it), with a scene of its own."""
    return getattr(slicer, "app", None) is not None and getattr(slicer, "mrmlScene", None) is not None


def open_scene() -> OpenScene:
    """The application's scene inside Slicer; outside it a new, empty scene with Slicer's default nodes."""
    if inside_slicer():
        return OpenScene(slicer.mrmlScene, slicer.app.applicationLogic())
    return new_scene()


def new_scene() -> OpenScene:
    """An empty scene of our own: default colours, slice orientations and the module logics the bridge needs."""
    scene = slicer.vtkMRMLScene()
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    unpacking = tempfile.TemporaryDirectory(prefix="medsegai-scene-", ignore_cleanup_errors=True)
    application.SetSliceLogics(vtkCollection())
    application.SetViewLogics(vtkCollection())
    colours = _colour_logic(scene, application)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    logics = {
        "Colors": colours,
        "RemoteIO": _remote_io(scene, application, unpacking.name),
        **_module_logics(scene, application),
    }
    return OpenScene(scene, application, logics, unpacking)


def adopt_scene(scene: slicer.vtkMRMLScene, application: slicer.vtkSlicerApplicationLogic) -> OpenScene:
    """A scene that another program of ours made, completed by the module logics the bridge needs and it has not got."""
    unpacking = tempfile.TemporaryDirectory(prefix="medsegai-scene-", ignore_cleanup_errors=True)
    logics = {
        # A plain colour logic does not know the colour legends of heat maps.
        "Colors": _colour_logic(scene, application),
        "RemoteIO": _remote_io(scene, application, unpacking.name),
        **_module_logics(scene, application),
    }
    return OpenScene(scene, application, logics, unpacking)


def _colour_logic(
    scene: slicer.vtkMRMLScene, application: slicer.vtkSlicerApplicationLogic
) -> slicer.vtkSlicerColorLogic:
    colours = slicer.vtkSlicerColorLogic()
    colours.SetMRMLApplicationLogic(application)
    # It looks for colour files of the application, which there are none of here, and complains.
    with caught_vtk_messages():
        colours.SetMRMLScene(scene)
    # The Volumes logic asks for the colours by this name and prints an error for each volume where it finds none.
    application.SetModuleLogic("Colors", colours)
    return colours


def _remote_io(
    scene: slicer.vtkMRMLScene, application: slicer.vtkSlicerApplicationLogic, folder: str
) -> slicer.vtkMRMLRemoteIOLogic:
    # An .mrb is unpacked in the folder of this logic's cache; without one, MRML refuses to read any.
    logic = slicer.vtkMRMLRemoteIOLogic()
    logic.SetMRMLScene(scene)
    logic.SetMRMLApplicationLogic(application)
    logic.GetCacheManager().SetRemoteCacheDirectory(folder)
    logic.AddDataIOToScene()
    return logic


def _module_logics(
    scene: slicer.vtkMRMLScene, application: slicer.vtkSlicerApplicationLogic
) -> dict[str, slicer.vtkMRMLAbstractLogic]:
    logics = {}
    for name, class_name in _MODULE_LOGICS.items():
        there = application.GetModuleLogic(name)
        if there is not None:
            logics[name] = there
            continue
        logic = getattr(slicer, class_name)()
        logic.SetMRMLApplicationLogic(application)
        logic.SetMRMLScene(scene)
        application.SetModuleLogic(name, logic)
        logics[name] = logic
    return logics


def save_scene(scene: slicer.vtkMRMLScene, path: str | os.PathLike[str]) -> Path:
    """Write the whole scene with its data as one ``.mrb`` file; an older file stays until the new one is complete.

    Raises:
        InputError: if ``path`` does not end in ``.mrb``.
        StorageError: if it cannot be written: no such folder, no permission, disk full.
    """
    target = Path(path)
    _refuse_other_endings(target)
    address, folder = scene.GetURL(), scene.GetRootDirectory()
    with write_beside(target) as temporary, caught_vtk_messages() as complaints:
        try:
            written = scene.WriteToMRB(str(temporary))
        finally:
            # Writing leaves the scene pointing into a folder that is gone afterwards.
            scene.SetURL(address)
            scene.SetRootDirectory(folder or ".")
        if not written:
            _log.info("Writing '%s' failed: %s", target, complaints())
            raise StorageError(
                f"The scene could not be written to '{target}'.",
                advice="Check that the disk and the temporary folder have room, or choose another folder.",
            )
    return target


def load_scene(path: str | os.PathLike[str], *, into: OpenScene | None = None) -> OpenScene:
    """Read an ``.mrb`` file.

    Args:
        path: The file.
        into: The scene to fill; what it held is removed. Without it: a new scene (never Slicer's own unasked).

    Raises:
        InputError: if there is no such file, it is no ``.mrb``, it is damaged, or a node's data could not be read.
    """
    source = Path(path)
    check_scene_file(source)
    opened = into or new_scene()
    with caught_vtk_messages() as complaints:
        done = opened.mrml.ReadFromMRB(str(source.resolve()), True, slicer.vtkMRMLMessageCollection())
    if not done:
        _log.info("Reading '%s' failed: %s", source, complaints())
        raise _broken_scene(source)
    return opened


def check_scene_file(path: str | os.PathLike[str]) -> None:
    """Refuse an ``.mrb`` that cannot be read, before the open scene makes room for it; touches no scene.

    Raises:
        InputError: if there is no such file, it is no ``.mrb``, or it is damaged.
    """
    source = Path(path)
    _refuse_other_endings(source)
    if not source.is_file():
        raise InputError(f"There is no file '{source}'.", advice="Check the path.")
    _refuse_damaged_archive(source)


def _refuse_other_endings(path: Path) -> None:
    if path.suffix.lower() != ".mrb":
        raise InputError(f"'{path}' is not a scene file.", advice="Give the file the ending .mrb.")


def _refuse_damaged_archive(path: Path) -> None:
    # MRML's own reader leaves a damaged archive half loaded and says little, so it is checked before.
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise InputError(
            f"'{path}' is damaged or no .mrb file: {error}.", advice="Copy the file again from where it was made."
        ) from error
    if broken:
        raise InputError(f"'{path}' is damaged at '{broken}'.", advice="Copy the file again from where it was made.")
    scenes = [name for name in names if name.endswith(".mrml")]
    if not scenes:
        raise InputError(f"'{path}' holds no MRML scene.", advice="Choose an .mrb file that Slicer or MedSegAI wrote.")
    with zipfile.ZipFile(path) as archive:
        for name in scenes:
            _refuse_broken_scene(path, archive.read(name))


def _refuse_broken_scene(path: Path, text: bytes) -> None:
    # MRML's own reader says so only after it has removed what the scene held.
    try:
        ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise _broken_scene(path) from error


def _broken_scene(path: Path) -> InputError:
    return InputError(
        f"'{path}' could not be read as a scene: some of its nodes or data are broken.",
        advice="Save the scene again where it was made.",
    )
