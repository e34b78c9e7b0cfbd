"""A mark that tells the scans of one patient from those of another without naming them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from MedSegAI.Logic.volume import PATIENT_KEY

_DIGITS = 16


def patient_mark(header: Mapping[str, Any]) -> dict[str, str]:
    """The entry of ``Volume.acquisition`` that says whose scan it is; empty where the header has no Patient ID.

    Args:
        header: A DICOM header by keyword. The mark is a digest of its Patient ID; whoever can guess the ID can tell, so
            files of results do not hold it.
    """
    known = str(header.get("PatientID") or "").strip()
    return {PATIENT_KEY: hashlib.sha256(known.encode()).hexdigest()[:_DIGITS]} if known else {}
