"""Signs that names may be written into the picture itself, or a face be seen in it; no header can mend that."""

from __future__ import annotations

import re
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
    sop_class = str(dataset.get("SOPClassUID", ""))
    if sop_class == _SECONDARY_CAPTURE or sop_class.startswith(f"{_SECONDARY_CAPTURE}."):
        return "it is a secondary capture"
    if "SAVED" in str(dataset.get("ImageType", "")) or "SCREEN SAVE" in str(dataset.get("ImageType", "")):
        return "it is a picture of a screen"
    kind = _WRITTEN_ON.get(str(dataset.get("Modality", "")))
    if kind and dataset.get("BurnedInAnnotation") != "NO":
        return f"it is {kind}"
    return ""


def may_show_a_face(dataset: Any) -> bool:
    """Whether the surface of a head could be rebuilt from it: a scan of the head, or one that does not say of what."""
    if "Rows" not in dataset or dataset.get("Modality") not in _SHOWS_SURFACE:
        return False
    if dataset.get("RecognizableVisualFeatures") == "NO":
        return False
    words = re.findall("[A-Z]+", str(dataset.get("BodyPartExamined") or "").upper())
    return not words or "".join(words) in _HEAD or not _HEAD.isdisjoint(words)
