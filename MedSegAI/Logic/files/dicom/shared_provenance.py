"""What a DICOM object says of how it was made: without the names of scans, and without the places of files.

The model's name, version and digest go into the algorithm identification, where every reader finds them and which
de-identification keeps. The whole record goes as JSON into one private element: group 0071, private creator
"MEDSEGAI PROVENANCE 1", element 01 of its block, VR UT. Programs that do not know it keep it or drop it; PS3.15 Annex E
drops it, and then the algorithm identification is what is left.
"""

from __future__ import annotations

import json
import re
from typing import Any

from MedSegAI.Logic.provenance import Provenance

PRIVATE_GROUP = 0x0071
PRIVATE_CREATOR = "MEDSEGAI PROVENANCE 1"
_RECORD = 0x01
# A drive, a home, or two levels of folders: what betrays a place.
_PLACE = re.compile(r"(?:[A-Za-z]:\\|~/|\\\\|/)[^\s'\",;]*[/\\][^\s'\",;]*")
_LONGEST_PARAMETER = 64


def put_provenance(dataset: Any, provenance: Provenance | None) -> None:
    """Put the whole record into a DICOM data set; nothing where there is none."""
    if provenance is not None:
        block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
        block.add_new(_RECORD, "UT", shared_record(provenance))


def provenance_of(dataset: Any) -> Provenance | None:
    """The record that :func:`put_provenance` wrote into a DICOM data set, None where there is none or it is damaged."""
    try:
        value = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR)[_RECORD].value
        return Provenance.from_json(value.decode() if isinstance(value, bytes) else str(value))
    except (KeyError, ValueError, TypeError):
        return None


def shared_record(provenance: Provenance) -> str:
    """The record as one line of JSON, with scans called "scan" and places of files left out."""
    plain = json.loads(provenance.to_json())
    names = [plain["input_name"], *(record.get("scan") for record in plain.get("inputs") or ())]
    known = sorted({name for name in names if name}, key=len, reverse=True)
    return json.dumps(_without(plain, known), ensure_ascii=False, separators=(",", ":"))


def algorithm_parameters(provenance: Provenance) -> dict[str, str]:
    """What identifies the run beside the model's name and version, as short texts without commas."""
    facts = {
        "model_sha256": provenance.model_sha256,
        "engine": provenance.engine,
        "device": provenance.device,
        "medsegai": provenance.versions.get("medsegai", "source"),
    }
    return {key: _PLACE.sub("...", text).replace(",", " ")[:_LONGEST_PARAMETER] for key, text in facts.items() if text}


def _without(value: Any, names: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(entry, names) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without(entry, names) for entry in value]
    if not isinstance(value, str):
        return value
    for name in names:
        value = value.replace(name, "scan")
    return _PLACE.sub("...", value)
