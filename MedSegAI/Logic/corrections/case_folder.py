"""Where a case's corrections are kept where nobody chose a place."""

from __future__ import annotations

import os
import re
from pathlib import Path


def cases_folder() -> Path:
    """The folder of all cases: what ``MEDSEGAI_CASES`` names, else one in the user's own data."""
    named = os.environ.get("MEDSEGAI_CASES")
    return Path(named) if named else Path.home() / ".local" / "share" / "medsegai" / "cases"


def case_folder(scan_name: str) -> Path:
    """The folder of the case of this scan, named after it; nothing is made yet."""
    safe = re.sub(r"[^\w.-]+", "_", scan_name).strip("._")
    return cases_folder() / (safe or "case")
