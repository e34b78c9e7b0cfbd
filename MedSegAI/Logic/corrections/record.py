"""What a rater did becomes an entry of the journal: the changed box, and nothing else of the label map."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from MedSegAI.Logic.corrections.append import NewEntry, append
from MedSegAI.Logic.corrections.entry import Entry, Kind, Origin, Scan, Status
from MedSegAI.Logic.corrections.journal import Journal
from MedSegAI.Logic.corrections.label_files import read_table
from MedSegAI.Logic.corrections.labels_digest import labels_digest
from MedSegAI.Logic.corrections.numbering import in_numbering_of
from MedSegAI.Logic.corrections.on_case_grid import grid_difference
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.provenance import Provenance

Folder = str | os.PathLike[str]


@dataclass(frozen=True)
class Rater:
    """Who corrects.

    Args:
        name: One line, not empty; the same person always has the same.
        role: What the person is, such as "radiologist"; may be empty.

    Raises:
        InputError: if the name is empty or has several lines.
    """

    name: str
    role: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable():
            raise InputError("A correction needs the name of its rater, in one line.", advice="Give a name.")


def changed_box(before: np.ndarray, after: np.ndarray) -> Box | None:
    """The smallest box around the voxels that differ between two label maps (k, j, i) of one shape; None where none."""
    if before.shape != after.shape:
        raise InputError(
            f"The labels before and after have different shapes: {before.shape} and {after.shape}.",
            advice="Bring both to the scan's grid.",
        )
    return Box.around(before != after)


def record_base(folder: Folder, base: Segmentation, *, scan: Scan | None = None) -> Entry:
    """Put the result that raters will start from into the journal, unless these very labels are there already.

    Args:
        folder: The case's folder; a new one is made.
        base: Labels uint8 (k, j, i) on the scan's grid, LPS mm, with their names and, if a model made them, how.
        scan: Which scan it is, as ``scan_reference`` says.

    Returns:
        The new entry, or the one that holds the same labels already.

    Raises:
        InputError: if the case has another grid or is about another scan, or an entry of its journal was edited.
        LabelError: if the map holds a value without a name.
        StorageError: if it cannot be written; the journal is as it was.
    """
    digest = labels_digest(base.labels.array, base.table)

    there: list[Entry] = []

    def decide(journal: Journal) -> Sequence[NewEntry]:
        _refuse_another_case(journal, base.labels.grid, scan)
        there.extend(entry for entry in journal.entries if entry.kind is Kind.BASE and entry.result == digest)
        return () if there else (_new_base(base, digest, scan),)

    return (*append(folder, decide), *there)[0]


def record_correction(
    folder: Folder,
    before: Segmentation,
    after: Segmentation,
    *,
    rater: Rater,
    status: Status = Status.DRAFT,
    comment: str = "",
    scan: Scan | None = None,
) -> Entry | None:
    """Append what a rater changed.

    The entry continues the rater's own latest entry that left the labels as they are in ``before``; else a base with
    these labels; else another rater's entry with them. Where nobody's are like that, ``before`` becomes a new base
    first. Two raters who start from one base thus never touch each other's work.

    An entry is appended only if it changes the rater's word on the case: its labels or its status. A rater without an
    entry counts as having a draft of ``before``, so "final" without a change (and without box) says: right as it is.

    Args:
        folder: The case's folder; a new one is made.
        before: The labels that the rater started from, on the scan's grid; their numbers need not be the journal's.
        after: The labels as the rater leaves them, on the same grid.
        rater: Who.
        status: Draft or final.
        comment: Free text.
        scan: Which scan it is, as ``scan_reference`` says.

    Returns:
        The new entry; None where there was nothing to record.

    Raises:
        InputError: for different grids or another scan than the case's, a status that is neither draft nor final, or
            an edited entry in the journal.
        LabelError: if a map holds a value without a name, or there are more than 255 labels.
        StorageError: if it cannot be written; the journal is as it was.
    """
    if status is Status.WITHDRAWN:
        raise InputError("A new correction is a draft or final.", advice="Withdraw an entry by its number.")
    _refuse_different(before.labels.grid, after.labels.grid)
    digest = labels_digest(before.labels.array, before.table)
    result = labels_digest(after.labels.array, after.table)
    template = _template(rater, status, comment, before.labels.grid)
    template = replace(template, started_from=digest, result=result, scan=scan)

    def decide(journal: Journal) -> Sequence[NewEntry]:
        _refuse_another_case(journal, before.labels.grid, scan)
        parent = _parent(journal, rater.name, digest)
        base = None if parent else _new_base(before, digest, scan)
        known = read_table(journal.folder, parent.table) if parent else before.table
        entry = replace(
            template,
            parent=parent.number if parent else len(journal.entries) + 1,
            origin=parent.origin if parent else base.entry.origin,
        )
        new = _difference(before, after, known, entry)
        standing = journal.standing(rater.name)
        word = (standing.result, standing.status) if standing else (digest, Status.DRAFT)
        if word == (result, status):
            return ()
        return (base, new) if base else (new,)

    appended = append(folder, decide)
    return appended[-1] if appended else None


def withdraw(folder: Folder, number: int, *, rater: Rater, comment: str = "") -> Entry:
    """Append that one of the rater's own entries no longer counts; the entry stays in the journal.

    The rater's word on the case is then the latest of the earlier entries. Later entries that rest on this one keep
    the labels that they have.

    Returns:
        The new entry.

    Raises:
        InputError: if there is no such entry, it is another rater's or a base, or it is withdrawn already.
        StorageError: if it cannot be written; the journal is as it was.
    """

    def decide(journal: Journal) -> Sequence[NewEntry]:
        entry = journal.entry(number)
        if entry.kind is Kind.BASE or entry.rater != rater.name:
            owner = f"'{entry.rater}'" if entry.rater else "nobody: it is what raters start from"
            raise InputError(f"Entry {number} is not by '{rater.name}' but by {owner}.", advice="Withdraw your own.")
        if journal.status_of(entry) is Status.WITHDRAWN:
            raise InputError(f"Entry {number} is withdrawn already.", advice="There is nothing left to do.")
        template = _template(rater, Status.WITHDRAWN, comment, entry.grid)
        unchanged = replace(
            template, parent=number, started_from=entry.result, result=entry.result, origin=entry.origin
        )
        return (NewEntry(unchanged, read_table(journal.folder, entry.table)),)

    return append(folder, decide)[-1]


def _parent(journal: Journal, rater: str, digest: str) -> Entry | None:
    """The entry whose labels the rater started from: one that counts, the rater's own, a base, the latest."""
    alike = [entry for entry in journal.entries if entry.result == digest and entry.status is not Status.WITHDRAWN]

    def rank(entry: Entry) -> tuple[bool, bool, bool, int]:
        return (not journal.is_withdrawn(entry), entry.rater == rater, entry.kind is Kind.BASE, entry.number)

    return max(alike, key=rank, default=None)


def _difference(before: Segmentation, after: Segmentation, known: LabelTable, entry: Entry) -> NewEntry:
    """The changed box, in the numbers of the entry's parent."""
    old, _ = in_numbering_of(before.labels.array, before.table, known)
    new, table = in_numbering_of(after.labels.array, after.table, known)
    box = changed_box(old, new)
    labels = None if box is None else after.labels.with_array(new).crop(box)
    return NewEntry(replace(entry, box=box), table, labels)


def _new_base(base: Segmentation, digest: str, scan: Scan | None) -> NewEntry:
    box = Box.around(base.labels.array)
    template = _template(None, Status.FINAL, "", base.labels.grid)
    entry = replace(
        template,
        kind=Kind.BASE,
        parent=None,
        result=digest,
        origin=_origin(base.provenance),
        box=box,
        scan=scan,
        provenance=base.provenance.to_json() if base.provenance else "",
    )
    return NewEntry(entry, base.table, None if box is None else base.labels.crop(box))


def _template(rater: Rater | None, status: Status, comment: str, grid: Grid) -> Entry:
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    return Entry(
        kind=Kind.CORRECTION,
        parent=0,
        rater=rater.name if rater else "",
        role=rater.role if rater else "",
        time=now,
        status=status,
        comment=comment,
        started_from="",
        result="",
        origin=Origin(),
        box=None,
        array=None,
        table="",
        grid=grid,
    )


def _origin(provenance: Provenance | None) -> Origin:
    if provenance is None:
        return Origin()
    return Origin(provenance.model, provenance.model_version, provenance.model_sha256)


def _refuse_another_case(journal: Journal, grid: Grid, scan: Scan | None) -> None:
    if not journal.entries:
        return
    _refuse_different(journal.entries[0].grid, grid)
    known = next((entry.scan for entry in journal.entries if entry.scan), None)
    if scan is not None and known is not None and scan.sha256 != known.sha256:
        raise InputError(
            f"The case in '{journal.folder}' is about another scan: '{known.path}', not '{scan.path}'.",
            advice="Give each scan a case folder of its own.",
        )


def _refuse_different(known: Grid, grid: Grid) -> None:
    if difference := grid_difference(known, grid):
        raise InputError(
            f"The labels do not lie on the case's grid: {difference}.",
            advice="Give the labels of the same scan, on its own grid.",
        )
