"""One case of a batch: a scan, and a name for it that stays the same from run to run."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from MedSegAI.Logic.files.formats import ending_of

_LONGEST_NAME = 60
_DIGEST_LETTERS = 8


@dataclass(frozen=True)
class BatchCase:
    """A scan to be segmented.

    Args:
        id: Name of the case in ledger, table and folders; see :func:`case_id`.
        source: Absolute path of the file, or of the folder with its DICOM series.
        series: UID of the series, where the folder may hold several.
        files: The files of that series; empty where the source alone says which files it is.
    """

    id: str
    source: Path
    series: str | None = None
    files: tuple[Path, ...] = ()

    @property
    def is_dicom(self) -> bool:
        """Whether the scan came as DICOM."""
        return self.series is not None or not ending_of(self.source)


def case_id(name: str, *, identity: str) -> str:
    """A name for a case that fits a folder and depends on nothing but the case itself.

    Args:
        name: What a person calls it, such as ``sub-01/T1``; letters that trouble a file system become ``_``.
        identity: What sets it apart from every other case, such as its path or its series' UID.

    Returns:
        The readable name and the first letters of the identity's SHA-256, such as ``sub-01_T1-3f0a91bc``.
    """
    readable = re.sub(r"[^\w.-]+", "_", name).strip("._")[-_LONGEST_NAME:] or "case"
    # Names from old computers may not be UTF-8.
    told_apart = hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest()
    return f"{readable}-{told_apart[:_DIGEST_LETTERS]}"
