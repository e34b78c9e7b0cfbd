"""Final corrections as labelled images to train on, in the layout of the Medical Segmentation Decathlon.

The folder holds ``imagesTr`` and ``labelsTr``, with one pair for each case and rater, and ``dataset.json``: the
Decathlon's own members, and under ``provenance`` whose word each label is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.corrections.entry import Entry, Status
from MedSegAI.Logic.corrections.journal import Journal, read_journal
from MedSegAI.Logic.corrections.label_files import read_table
from MedSegAI.Logic.corrections.numbering import in_numbering_of, joined
from MedSegAI.Logic.corrections.on_case_grid import grid_difference
from MedSegAI.Logic.corrections.replay import segmentation_after
from MedSegAI.Logic.corrections.scan_reference import scan_reference
from MedSegAI.Logic.errors import InputError, StorageError
from MedSegAI.Logic.files.atomic import storage_error
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.write import write_segmentation, write_volume
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.volume import Modality, Volume

_MODALITIES = {Modality.CT: "CT", Modality.MR: "MRI", Modality.PET: "PET", Modality.UNKNOWN: "unknown"}


@dataclass(frozen=True)
class FinalCorrection:
    """One label of the training set.

    Args:
        name: The name that image and label have in the set.
        journal: The case.
        entry: The rater's final entry.
        scan: Where the case's scan lies.
    """

    name: str
    journal: Journal
    entry: Entry
    scan: Path


def final_corrections(
    folders: Sequence[str | os.PathLike[str]], *, scan: Path | None = None, rater: str | None = None
) -> tuple[FinalCorrection, ...]:
    """What the raters of these cases call final.

    A pair is named after its case's folder, and where a case has several raters' final words, after the rater too.

    Args:
        folders: The cases' folders.
        scan: The scan of the only case; None takes for each case the one that its journal names.
        rater: Whose words alone count; None takes everybody's.

    Raises:
        InputError: if there is none at all, a journal cannot be read, two cases' folders have one name, or a scan is
            unknown, missing or not the one that was recorded.
    """
    if scan is not None and len(folders) != 1:
        raise InputError("One scan was given for several cases.", advice="Export one case at a time with its scan.")
    found: list[FinalCorrection] = []
    for folder in folders:
        journal = read_journal(folder)
        entries = [journal.standing(name) for name in journal.raters if rater in (None, name)]
        final = [entry for entry in entries if entry and entry.status is Status.FINAL]
        if not final:
            continue
        place = scan if scan is not None else _recorded_scan(journal)
        case = _plain_name(journal.folder.resolve().name)
        for number, entry in enumerate(final, start=1):
            name = case if len(final) == 1 else f"{case}-{number}-{_plain_name(entry.rater)}"
            found.append(FinalCorrection(name, journal, entry, place))
    if not found:
        whose = f"'{rater}'" if rater else "any rater"
        raise InputError(
            f"None of the cases holds a final correction by {whose}.",
            advice="Mark the corrections that are done as final.",
        )
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"Two cases are called '{twice}'.", advice="Rename one of their folders.")
    return tuple(found)


def export_training_set(
    corrections: Sequence[FinalCorrection], output: str | os.PathLike[str], *, reporter: Reporter
) -> dict[str, Any]:
    """Write the training set, whole or not at all.

    Labels are numbered 1, 2, 3 ... without gaps, each structure (by its key) alike in all cases; scans become
    ``.nii.gz``.

    Args:
        corrections: As :func:`final_corrections` gives them.
        output: The folder to make; it must not exist, or be empty.
        reporter: Is told of each label, and asked whether to stop.

    Returns:
        What ``dataset.json`` holds.

    Raises:
        InputError: if a scan does not lie on its case's grid, or a journal's file was changed.
        StorageError: if the folder is in use or cannot be written.
        Cancelled: if the reporter says so; nothing is left.
    """
    target = Path(output).expanduser().resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StorageError(f"'{target}' exists already and is not an empty folder.", advice="Choose another folder.")
    try:
        room = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise storage_error(target, error) from error
    try:
        content = _write_pairs(corrections, room, target.name, reporter)
        (room / "dataset.json").write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        room.chmod(0o755)
        room.replace(target)
    except OSError as error:
        raise storage_error(target, error) from error
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return content


def _write_pairs(corrections: Sequence[FinalCorrection], room: Path, name: str, reporter: Reporter) -> dict[str, Any]:
    for part in ("imagesTr", "labelsTr"):
        (room / part).mkdir()
    table, modality = _numbered_from_one(corrections), Modality.UNKNOWN
    scans: dict[str, str] = {}
    for done, one in enumerate(corrections):
        reporter.progress(done, len(corrections), "exporting")
        raise_if_cancelled(reporter)
        image = read_volume(one.scan)
        _refuse_other_scan(one, image)
        state = segmentation_after(one.journal, one.entry)
        labels, own = in_numbering_of(state.labels.array, state.table, table)
        modality = image.modality if modality is Modality.UNKNOWN else modality
        scans.setdefault(str(one.scan), scan_reference(one.scan).sha256)
        write_volume(room / "imagesTr" / f"{one.name}.nii.gz", image)
        write_segmentation(room / "labelsTr" / f"{one.name}.nii.gz", Volume(labels, image.grid), own)
    return {
        "name": name,
        "description": "Final corrections of experts.",
        "tensorImageSize": "3D",
        "modality": {"0": _MODALITIES[modality]},
        "labels": {"0": "background"} | {str(label.value): label.key for label in table},
        "numTraining": len(corrections),
        "numTest": 0,
        "training": [
            {"image": f"./imagesTr/{one.name}.nii.gz", "label": f"./labelsTr/{one.name}.nii.gz"} for one in corrections
        ],
        "test": [],
        "provenance": [_record(one, scans[str(one.scan)]) for one in corrections],
    }


def _numbered_from_one(corrections: Sequence[FinalCorrection]) -> LabelTable:
    """All labels of all corrections, numbered 1, 2, 3 ... as training wants them."""
    table = LabelTable(())
    for one in corrections:
        _, own = in_numbering_of(np.zeros((1, 1, 1), np.uint8), read_table(one.journal.folder, one.entry.table), table)
        table = joined(table, own)
    return LabelTable(tuple(replace(label, value=number) for number, label in enumerate(table, start=1)))


def _record(one: FinalCorrection, scan_sha256: str) -> dict[str, Any]:
    entry = one.entry
    return {
        "name": one.name,
        "case": one.journal.folder.resolve().name,
        "rater": entry.rater,
        "role": entry.role,
        "time": entry.time,
        "entry": entry.number,
        "entry_hash": entry.hash,
        "labels_digest": entry.result,
        "model": entry.origin.model,
        "model_version": entry.origin.version,
        "model_sha256": entry.origin.sha256,
        "scan_sha256": scan_sha256,
    }


def _recorded_scan(journal: Journal) -> Path:
    recorded = next((entry.scan for entry in reversed(journal.entries) if entry.scan), None)
    advice = "Bring the scan back, or leave this case out. An export of this case alone takes its place with --scan."
    if recorded is None:
        raise InputError(f"The journal of '{journal.folder}' does not name the case's scan.", advice=advice)
    path = Path(recorded.path)
    if not path.exists():
        raise InputError(f"The scan of '{journal.folder}' is no longer at '{path}'.", advice=advice)
    if scan_reference(path).sha256 != recorded.sha256:
        raise InputError(
            f"'{path}' is not the scan that the journal of '{journal.folder}' was made on: its content changed.",
            advice=advice,
        )
    return path


def _refuse_other_scan(one: FinalCorrection, image: Volume) -> None:
    if difference := grid_difference(one.entry.grid, image.grid):
        raise InputError(
            f"The scan '{one.scan}' does not lie on the grid of the case '{one.journal.folder}': {difference}.",
            advice="Name the scan that was corrected.",
        )


def _plain_name(text: str) -> str:
    """A name that every file system takes: letters, digits, dot, minus and underscore."""
    return re.sub(r"[^\w.-]+", "_", text).strip("._") or "case"
