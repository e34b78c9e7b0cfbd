"""What the headers of a PET series say of patient, injection and times, as ``Volume.acquisition`` holds it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.pet.pet_image import TAGS, images_of
from MedSegAI.Logic.standardise.pet.suv_factors import stored_unit
from MedSegAI.Logic.volume import Unit

_OF_INJECTION = (
    "RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartTime", "RadiopharmaceuticalStartDateTime",
)  # fmt: skip
# Private tags: group, the creator that reserves its block, the element within the block.
_PRIVATE = {
    "GEScanDateTime": (0x0009, "GEMS_PETD_01", 0x0D),
    "PhilipsSUVScaleFactor": (0x7053, "Philips PET Private Group", 0x00),
    "PhilipsActivityScaleFactor": (0x7053, "Philips PET Private Group", 0x09),
}
# Enhanced PET says the unit in UCUM (DICOM PS3.16 CID 84).
_UNITS_BY_CODE = {"Bq/ml": "BQML", "{counts}": "CNTS", "g/ml{SUVbw}": "GML", "cm2/ml{SUVbsa}": "CM2ML"}
_LEAN_BY_CODE = {"g/ml{SUVlbm(Janma)}": "LBMJANMA", "g/ml{SUVlbm(James128)}": "LBMJAMES128", "g/ml{SUVlbm}": "LBM"}


def pet_acquisition(places: Sequence[tuple[Path, int, Sequence[float]]], normal: Sequence[float]) -> dict[str, Any]:
    """The acquisition of a PET series.

    Args:
        places: Of each plane in order: its file, its frame in it (from 0), and an LPS point (x, y, z in mm) on it.
        normal: The planes' normal, LPS.

    Returns:
        JSON values by the keys of ``TAGS`` in ``Logic/standardise/pet/pet_image.py``; what the headers lack is left
        out. See there for ``images``, ``position`` and ``normal``.

    Raises:
        InputError: for a header that names several injections.
    """
    headers = {path: _header(path) for path in dict.fromkeys(path for path, _, _ in places)}
    images = [
        {**image_values(headers[path], frame=frame), "position": [float(mm) for mm in point]}
        for path, frame, point in places
    ]
    return {**_shared_once(images), "normal": [float(part) for part in normal]}


def acquisition_from_instances(instances: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The acquisition that flat metadata describe: one mapping of DICOM keywords for each image.

    Private values may stand in ``PhilipsPETPrivateGroup`` (``SUVScaleFactor``, ``ActivityConcentrationScaleFactor``)
    and ``GEPrivatePostInjectionDateTime``, as the public test metadata have them.
    """
    images = []
    for instance in instances:
        philips = instance.get("PhilipsPETPrivateGroup") or {}
        values = {
            **instance,
            "PhilipsSUVScaleFactor": philips.get("SUVScaleFactor"),
            "PhilipsActivityScaleFactor": philips.get("ActivityConcentrationScaleFactor"),
            "GEScanDateTime": instance.get("GEPrivatePostInjectionDateTime"),
        }
        images.append({key: values[key] for key in TAGS if values.get(key) not in (None, "")})
    return _shared_once(images)


def pet_unit(acquisition: Mapping[str, Any]) -> Unit:
    """The unit in which the series' values are stored: activity, counts or SUV; ARBITRARY where it is not said."""
    units = {stored_unit(image) for image in images_of(acquisition)}
    return units.pop() if len(units) == 1 else Unit.ARBITRARY


def image_values(header: Any, *, frame: int = 0) -> dict[str, Any]:
    """What one pydicom header, or one frame of an enhanced one, says: JSON values by the keys of ``TAGS``.

    Raises:
        InputError: for a header that names several injections.
    """
    injections = header.get("RadiopharmaceuticalInformationSequence") or []
    if len(injections) > 1:
        raise InputError(
            f"The PET header names {len(injections)} injections: Radiopharmaceutical Information Sequence (0054,0016).",
            advice="Which dose made the picture cannot be told; scans of several tracers are not supported.",
        )
    found = {}
    for key in TAGS:
        source = (injections or [{}])[0] if key in _OF_INJECTION else header
        value = _private(header, *_PRIVATE[key]) if key in _PRIVATE else source.get(key)
        if value is not None and value != "":
            found[key] = _plain(value)
    return found | (_enhanced(header, frame) if "PerFrameFunctionalGroupsSequence" in header else {})


def _header(path: Path) -> Any:
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, stop_before_pixels=True)


def _private(header: Any, group: int, creator: str, element: int) -> Any:
    for element_of_block in range(0x10, 0x100):
        name = header.get((group, element_of_block))
        if name is not None and str(name.value).strip().casefold() == creator.casefold():
            found = header.get((group, element_of_block << 8 | element))
            return None if found is None else _decoded(found.value)
    return None


def _decoded(value: Any) -> Any:
    """A private value of unknown type, as implicit files have it, is bytes."""
    return value.decode("ascii", "ignore").strip("\0 ") if isinstance(value, bytes) else value


def _plain(value: Any) -> Any:
    """A pydicom value as a JSON value; numbers written as text become numbers."""
    from pydicom.multival import MultiValue

    if isinstance(value, MultiValue | list | tuple):
        return [str(part) for part in value]
    if isinstance(value, int | float) or type(value).__name__ in ("DSfloat", "DSdecimal", "IS"):
        return float(value)
    return str(value).strip()


def _enhanced(header: Any, frame: int) -> dict[str, Any]:
    """What enhanced PET says elsewhere: times of the frame, corrections as yes or no, the unit as a code."""
    shared = (header.get("SharedFunctionalGroupsSequence") or [{}])[0]
    groups = header.PerFrameFunctionalGroupsSequence[frame]

    def item(name: str) -> Any:
        return next(iter(groups.get(name) or shared.get(name) or []), {})

    content, mapping = item("FrameContentSequence"), item("RealWorldValueMappingSequence")
    stated = next(iter(mapping.get("MeasurementUnitsCodeSequence") or []), {})
    code = stated.get("CodeValue") or stated.get("LongCodeValue") or ""
    corrections = {"ATTN": header.get("AttenuationCorrected"), "DECY": header.get("DecayCorrected")}
    values = {
        "AcquisitionDateTime": content.get("FrameAcquisitionDateTime"),
        "ActualFrameDuration": content.get("FrameAcquisitionDuration"),
        "Units": "GML" if code in _LEAN_BY_CODE else _UNITS_BY_CODE.get(code),
        "SUVType": _LEAN_BY_CODE.get(code),
        "CorrectedImage": [name for name, stated in corrections.items() if stated == "YES"],
        "DecayCorrection": {"YES": "START", "NO": "NONE"}.get(str(corrections["DECY"])),
    }
    return {key: _plain(value) for key, value in values.items() if value not in (None, "", [])}


def _shared_once(images: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Values that all images have alike stand once; the rest in the list ``images``."""
    shared = {
        key: value
        for key, value in (images[0] if images else {}).items()
        if all(np.array_equal(image.get(key), value) for image in images)
    }
    shared.pop("position", None)
    own = [{key: value for key, value in image.items() if key not in shared} for image in images]
    return shared | ({"images": own} if any(own) else {})
