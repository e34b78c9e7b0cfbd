"""An assessment on the disk: a report, the figures behind it, and the card it proposes, until somebody signs it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import make_folder
from MedSegAI.Logic.files.new_folder import new_folder
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
    """Write report and figures, whole or not at all; each names the other's digest.

    Raises:
        StorageError: if the folder holds something or cannot be written.
    """
    figures = assessment.to_plain()
    make_folder(folder.absolute().parent)
    with new_folder(folder) as room:
        (room / REPORT_NAME).write_text(report_page(assessment, figures_sha256=_digest(figures)), encoding="utf-8")
        content = figures | {"report_sha256": file_sha256(room / REPORT_NAME)}
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        (room / ASSESSMENT_NAME).write_text(text, encoding="utf-8")
    return Draft(folder, content)


def read_draft(folder: Path) -> Draft:
    """Read a draft back, and check that report and figures are those that were written.

    Raises:
        InputError: if it is none, or its report or its figures were changed.
    """
    path = Path(folder) / ASSESSMENT_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        digest = content.pop("report_sha256")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"'{folder}' holds no assessment of a model.", advice="Name the folder that medsegai recalibrate wrote."
        ) from error
    report = Path(folder) / REPORT_NAME
    if not report.is_file() or file_sha256(report) != digest:
        raise InputError(
            f"The report '{report}' is not the one that the assessment was written with.",
            advice="Run medsegai recalibrate again.",
        )
    if _digest(content) not in report.read_text(encoding="utf-8"):
        raise InputError(
            f"The figures in '{path}' are not those that the report was written from.",
            advice="Run medsegai recalibrate again.",
        )
    return Draft(Path(folder), content | {"report_sha256": digest})


def _digest(figures: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()
