"""Write the agreement of a case as a page to read, a table to filter, and a file for programs."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.agreement.drift import Drift
from MedSegAI.Logic.agreement.results import CaseAgreement
from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.files.atomic import make_folder, write_beside
from MedSegAI.Logic.provenance import software_versions
from MedSegAI.Logic.report.agreement_page import agreement_page
from MedSegAI.Logic.report.agreement_picture import disagreement_picture
from MedSegAI.Logic.report.agreement_tables import agreement_as_csv
from MedSegAI.Logic.volume import Volume


@dataclass(frozen=True)
class AgreementFiles:
    """Where a report lies: the page, the table (see ``agreement_as_csv``) and all figures with places and settings."""

    page: Path
    table: Path
    figures: Path


def write_agreement_report(
    folder: str | os.PathLike[str],
    agreement: CaseAgreement,
    *,
    ratings: Ratings | None = None,
    scan: Volume | None = None,
    consensus: np.ndarray | None = None,
    drifts: Sequence[Drift] = (),
) -> AgreementFiles:
    """Write ``agreement.html``, ``agreement.csv`` and ``agreement.json`` into a folder.

    All three are written beside their places before the first of them is put there; an older report stays as it was
    where something goes wrong.

    Args:
        folder: Made where it does not exist.
        agreement: What was measured.
        ratings: Draws a picture of the first place of disagreement; None leaves it out.
        scan: Shown in that picture; None shows the votes instead.
        consensus: uint8 (k, j, i) on the grid of the ratings, outlined in the picture.
        drifts: How the raters' agreement changed over earlier cases.

    Raises:
        StorageError: if a file cannot be written.
        InputError: if the place of disagreement lies outside the scan.
        DependencyError: if a picture is wanted and matplotlib is missing.
    """
    picture = None
    if ratings is not None and agreement.places:
        picture = disagreement_picture(ratings, agreement.places[0], scan=scan, consensus=consensus)
    created = f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC"
    contents = {
        "agreement.html": agreement_page(agreement, picture=picture, drifts=drifts, created=created),
        "agreement.csv": agreement_as_csv(agreement),
        "agreement.json": _as_json(agreement, drifts, created),
    }
    made = make_folder(folder)
    with ExitStack() as all_or_none:
        for name, text in contents.items():
            all_or_none.enter_context(write_beside(made / name)).write_text(text, encoding="utf-8", newline="\n")
    return AgreementFiles(*(made / name for name in contents))


def _as_json(agreement: CaseAgreement, drifts: Sequence[Drift], created: str) -> str:
    plain = agreement.to_plain() | {
        "created": created,
        "versions": software_versions(),
        "drifts": [asdict(drift) for drift in drifts],
    }
    return json.dumps(plain, indent=1, ensure_ascii=False, default=str) + "\n"
