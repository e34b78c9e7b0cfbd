"""Signs that names may be written into the picture itself, or a face be seen in it; no header can mend that."""

from __future__ import annotations

from typing import Any

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_WRITTEN_ON = {
    "US": "an ultrasound picture",
    "IVUS": "an ultrasound picture",
    "XC": "a photograph",
    "ES": "an endoscopic picture",
    "OP": "a photograph of the eye",
    "GM": "a microscopic picture",
    "SM": "a slide with its label",
    "OT": "a picture of no known kind",
    "SC": "a secondary capture",
    "DOC": "a document",
}
_HEAD = {"HEAD", "BRAIN", "SKULL", "FACE", "HEADNECK", "WHOLEBODY", "ORBIT", "SINUS", "EAR", "JAW"}
_SHOWS_SURFACE = {"CT", "MR", "PT"}


def burned_in_sign(dataset: Any) -> str:
    """Why names may be written into the pixels, as a phrase; empty where nothing hints at it."""
    if "Rows" not in dataset:
        return ""
    if dataset.get("BurnedInAnnotation") == "YES":
        return "it says so itself (Burned In Annotation)"
    if str(dataset.get("SOPClassUID", "")).startswith(_SECONDARY_CAPTURE):
        return "it is a secondary capture"
    if "SAVED" in str(dataset.get("ImageType", "")) or "SCREEN SAVE" in str(dataset.get("ImageType", "")):
        return "it is a picture of a screen"
    kind = _WRITTEN_ON.get(str(dataset.get("Modality", "")))
    if kind and dataset.get("BurnedInAnnotation") != "NO":
        return f"it is {kind}"
    return ""


def shows_a_face(dataset: Any) -> bool:
    """Whether it is a scan from which the surface of a head could be rebuilt."""
    if "Rows" not in dataset or dataset.get("Modality") not in _SHOWS_SURFACE:
        return False
    return str(dataset.get("BodyPartExamined", "")).upper().replace(" ", "") in _HEAD
