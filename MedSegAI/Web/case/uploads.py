"""What was uploaded: a scene, one or several scans, or a DICOM series, possibly in a zip; read without a scene."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from MedSegAI.Bridge.scene import check_scene_file
from MedSegAI.Logic.errors import InputError, MedSegAIError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.volume import Volume

SCENE_ENDING = ".mrb"
_ZIP_ENDING = ".zip"
_HEADER_ENDINGS = (".nhdr", ".mhd")
_IMAGE_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha", *_HEADER_ENDINGS)
_SPARE_BYTES = 1 << 28


@dataclass(frozen=True)
class Upload:
    """What the files of an upload hold.

    Args:
        scene: An ``.mrb`` to open; None where there is none.
        scans: The scans that were read.
    """

    scene: Path | None = None
    scans: tuple[Volume, ...] = ()


def read_upload(folder: Path) -> Upload:
    """Read the files in ``folder``; takes as long as reading takes, and touches no scene.

    Raises:
        InputError: if there is no file, or one that cannot be used; the message names it as the user knows it.
    """
    try:
        return _read(folder)
    except MedSegAIError as error:
        place = f"{folder}/"
        problem = error.problem.replace(place, "").replace(f"'{folder}'", "The upload")
        raise InputError(problem, advice=error.advice.replace(place, "")) from error


def _read(folder: Path) -> Upload:
    for archive in _files(folder, (_ZIP_ENDING,)):
        _unpack(archive, folder)
    scenes = _files(folder, (SCENE_ENDING,))
    if scenes:
        check_scene_file(scenes[0])
        return Upload(scene=scenes[0])
    images = _files(folder, _IMAGE_ENDINGS)
    if images:
        return Upload(scans=tuple(read_volume(path) for path in images))
    files = _files(folder, ("",))
    if not files:
        raise InputError("Nothing was uploaded.", advice="Choose a file.")
    # One file that is no DICOM is refused by its own name, several as the DICOM series they are taken for.
    return Upload(scans=(read_volume(files[0] if len(files) == 1 else folder),))


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__MACOSX" not in path.parts)
    return [path for path in files if path.name.lower().endswith(endings)]


def _unpack(archive: Path, folder: Path) -> None:
    broken = InputError(f"'{archive}' is damaged or no zip file.", advice="Make or copy it again.")
    try:
        with zipfile.ZipFile(archive) as packed:
            wanted = sum(entry.file_size for entry in packed.infolist())
            if wanted + _SPARE_BYTES > shutil.disk_usage(folder).free:
                raise InputError(
                    f"'{archive}' unpacks to {wanted / 1e9:.1f} GB, for which the disk has no room.",
                    advice="Upload only the series you need.",
                )
            packed.extractall(folder / archive.stem)
    except (zipfile.BadZipFile, OSError, RuntimeError, EOFError) as error:
        raise broken from error
    archive.unlink()
