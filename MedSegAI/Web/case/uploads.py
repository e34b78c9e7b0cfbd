"""What was uploaded: a scene, one or several scans, or DICOM series, possibly in a zip; read without a scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from MedSegAI.Bridge.scan_attributes import SourceSeries
from MedSegAI.Bridge.scene import check_scene_file
from MedSegAI.Logic.errors import InputError, MedSegAIError
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.dicom.found_series import FoundSeries
from MedSegAI.Logic.files.dicom.unpack import unpack_zip
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.volume import Volume

SCENE_ENDING = ".mrb"
_ZIP_ENDING = ".zip"
_HEADER_ENDINGS = (".nhdr", ".mhd")
_IMAGE_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha", *_HEADER_ENDINGS)


@dataclass(frozen=True, eq=False)
class OpenedScan:
    """A scan that was read.

    Args:
        volume: The scan.
        source: The DICOM files that it came from; None where it came from others.
    """

    volume: Volume
    source: SourceSeries | None = None


@dataclass(frozen=True, eq=False)
class Upload:
    """What the files of an upload hold: a scene, or scans and series.

    Args:
        scene: An ``.mrb`` to open; None where there is none.
        scans: The scans that were read.
        series: The DICOM series to choose from, where there are several or other scans beside them; none of them was
            read yet.
        folder: Where the files of the series lie.
    """

    scene: Path | None = None
    scans: tuple[OpenedScan, ...] = ()
    series: tuple[FoundSeries, ...] = ()
    folder: Path | None = None


def read_upload(folder: Path) -> Upload:
    """Read the files in ``folder``; takes as long as reading takes, and touches no scene.

    Zips are unpacked there. DICOM files stay there for as long as the case is open, because what is exported as DICOM
    refers to them.

    Raises:
        InputError: if there is no file, or one that cannot be used; the message names it as the user knows it.
    """
    try:
        return _read(folder)
    except MedSegAIError as error:
        raise _as_the_user_knows_it(error, folder) from error


def read_dicom_folder(folder: Path) -> Upload:
    """The only usable DICOM series in a folder, or all series to choose from where there are several.

    Raises:
        InputError: if there is no usable one; says why.
    """
    found = find_series(folder)
    usable = [one for one in found if one.usable]
    if len(usable) > 1:
        return Upload(series=found, folder=folder)
    if not usable and found:
        raise InputError(f"There is no scan among the DICOM files: {found[0].problem}", advice="Choose other files.")
    return Upload(scans=(read_series(folder, usable[0].uid if usable else None),))


def read_series(folder: Path, uid: str | None) -> OpenedScan:
    """One of the series in a folder, with where it came from.

    Raises:
        InputError: as :func:`MedSegAI.Logic.files.read.read_volume`; the message names files as the user knows them.
    """
    try:
        volume = read_volume(folder, series=uid)
    except MedSegAIError as error:
        raise _as_the_user_knows_it(error, folder) from error
    return OpenedScan(volume, None if uid is None else SourceSeries(folder, uid))


def _read(folder: Path) -> Upload:
    for archive in _files(folder, (_ZIP_ENDING,)):
        unpack_zip(archive, archive.with_suffix(""))
        archive.unlink()
    scenes = _files(folder, (SCENE_ENDING,))
    if scenes:
        check_scene_file(scenes[0])
        return Upload(scene=scenes[0])
    images = _files(folder, _IMAGE_ENDINGS)
    if images:
        found = find_series(folder) if len(_files(folder, ("",))) > len(images) else ()
        beside = found if any(one.usable for one in found) else ()
        return Upload(scans=tuple(OpenedScan(read_volume(path)) for path in images), series=beside, folder=folder)
    files = _files(folder, ("",))
    if not files:
        raise InputError("There is no file in what was uploaded.", advice="Choose a scan.")
    if len(files) == 1 and not find_series(files[0]):
        # One file that is no DICOM is refused by its own name.
        return Upload(scans=(OpenedScan(read_volume(files[0])),))
    return read_dicom_folder(folder)


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__MACOSX" not in path.parts)
    return [path for path in files if path.name.lower().endswith(endings)]


def _as_the_user_knows_it(error: MedSegAIError, folder: Path) -> InputError:
    place = f"{folder}/"
    problem = error.problem.replace(place, "").replace(f"'{folder}'", "The upload")
    return InputError(problem, advice=error.advice.replace(place, ""))
