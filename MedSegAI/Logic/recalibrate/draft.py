"""An assessment on the disk: a report, the figures behind it, and the card it proposes, until somebody signs it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import make_folder, write_beside
from MedSegAI.Logic.models.registry import file_sha256
from MedSegAI.Logic.recalibrate.assess import Assessment
from MedSegAI.Logic.recalibrate.report import report_page

REPORT_NAME = "report.html"
ASSESSMENT_NAME = "assessment.json"


@dataclass(frozen=True)
class Draft:
    """An assessment that was read back.

    Args:
        folder: Where it lies.
        content: What its JSON file holds.
    """

    folder: Path
    content: dict[str, Any]

    @property
    def report(self) -> Path:
        """The page that is signed."""
        return self.folder / REPORT_NAME


def write_draft(assessment: Assessment, folder: Path) -> Draft:
    """Write report and figures; the figures, which name the report's digest, come last.

    Raises:
        StorageError: if the folder cannot be written.
    """
    make_folder(folder)
    with write_beside(folder / REPORT_NAME) as temporary:
        temporary.write_text(report_page(assessment), encoding="utf-8")
    content = assessment.to_plain() | {"report_sha256": file_sha256(folder / REPORT_NAME)}
    with write_beside(folder / ASSESSMENT_NAME) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Draft(folder, content)


def read_draft(folder: Path) -> Draft:
    """Read a draft back, and check that its report is the one that was written.

    Raises:
        InputError: if it is none, or its report was changed.
    """
    path = Path(folder) / ASSESSMENT_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        digest = content["report_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"'{folder}' holds no assessment of a model.", advice="Name the folder that medsegai recalibrate wrote."
        ) from error
    report = Path(folder) / REPORT_NAME
    if not report.is_file() or file_sha256(report) != digest:
        raise InputError(
            f"The report '{report}' is not the one that the assessment was written with.",
            advice="Run medsegai recalibrate again.",
        )
    return Draft(Path(folder), content)
