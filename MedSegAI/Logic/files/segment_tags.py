"""The tags by which a segment in Slicer (in a node, an ``.mrb`` or a ``.seg.nrrd``) carries codes and provenance.

Slicer writes a segment's tags as ``name:value|name:value|`` into one NRRD field, so a value must hold neither ``|``
nor a line break, and the NRRD writers (teem and ITK) do not escape a backslash alike. Our own values are therefore
percent-encoded where they hold one of these or a character outside ASCII; the terminology entry is Slicer's own format
and is written as Slicer reads it.
"""

from __future__ import annotations

import string
from urllib.parse import quote, unquote

from MedSegAI.Logic.labels import Code, Terminology

TERMINOLOGY_TAG = "TerminologyEntry"
PROVENANCE_TAG = "MedSegAI.Provenance"
LABEL_VALUE_TAG = "MedSegAI.LabelValue"
CONFIDENCE_TAG = "MedSegAI.Confidence"

# The larger of the two terminologies that Slicer carries: only it has the parts of the brain, such as the hippocampus.
_CONTEXT = "Segmentation category and type - DICOM master list"
_REGION_CONTEXT = "Anatomic codes - DICOM master list"
_NO_CODE = "^^"
# "Tissue, Tissue" (SCT): what Slicer puts on every segment that nobody coded.
_PLACEHOLDER = "85756007"
_SEPARATORS = str.maketrans(dict.fromkeys("~^|\n", " "))
_SAFE = "".join(sorted(set(string.printable) - set(string.whitespace) - set("%|\\"))) + " "


def tag_text(value: str) -> str:
    """``value`` as it may stand in a tag of ours."""
    return quote(value, safe=_SAFE)


def value_of_tag(text: str) -> str:
    """The value that :func:`tag_text` encoded."""
    return unquote(text)


def terminology_text(terminology: Terminology) -> str:
    """The terminology entry as Slicer's vtkSlicerTerminologiesModuleLogic serialises it.

    ``context~category~type~modifier~region context~region~region modifier``, each code ``scheme^value^meaning``.
    """
    codes = [_code_text(code) for code in (terminology.category, terminology.type, terminology.type_modifier)]
    return "~".join([_CONTEXT, *codes, _REGION_CONTEXT, _NO_CODE, _NO_CODE])


def terminology_of_text(text: str) -> Terminology | None:
    """The triplet in a terminology entry; None where category or type is missing, or it is Slicer's placeholder."""
    category, kind, modifier = [*(_code(part) for part in text.split("~")[1:4]), None, None, None][:3]
    if category is None or kind is None or category.value == kind.value == _PLACEHOLDER:
        return None
    return Terminology(category, kind, modifier)


def _code_text(code: Code | None) -> str:
    if code is None:
        return _NO_CODE
    return "^".join(part.translate(_SEPARATORS) for part in (code.scheme, code.value, code.meaning))


def _code(text: str) -> Code | None:
    scheme, value, meaning = [*text.split("^"), "", ""][:3]
    return Code(scheme, value, meaning) if scheme and value else None
