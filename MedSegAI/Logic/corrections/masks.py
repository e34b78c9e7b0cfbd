"""A rater's mask from a file, checked against a case and put into its journal; and a state of it written as a mask."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from MedSegAI.Logic.corrections.entry import Entry, Scan, Status
from MedSegAI.Logic.corrections.journal import JOURNAL, Journal, read_journal
from MedSegAI.Logic.corrections.on_case_grid import Extent, on_case_grid
from MedSegAI.Logic.corrections.record import Folder, Rater, record_correction
from MedSegAI.Logic.corrections.replay import segmentation_after
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.files.read_segmentation import Segmentation, read_segmentation
from MedSegAI.Logic.files.write import write_segmentation
from MedSegAI.Logic.label_counts import label_values
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume


def read_mask(path: str | os.PathLike[str]) -> Segmentation:
    """A mask from a ``.seg.nrrd``, NIfTI, NRRD or MetaImage label map, or a DICOM segmentation (``.dcm``).

    Raises:
        InputError: as ``read_segmentation`` and ``read_dicom_segmentation``.
    """
    from MedSegAI.Logic.files.dicom.read_dicom_segmentation import is_dicom_segmentation, read_dicom_segmentation

    source = Path(path).expanduser()
    return read_dicom_segmentation(source) if is_dicom_segmentation(source) else read_segmentation(source)


def import_mask(
    folder: Folder,
    mask: Segmentation,
    *,
    rater: Rater,
    base: Segmentation | None = None,
    status: Status = Status.FINAL,
    comment: str = "",
    scan: Scan | None = None,
) -> Entry | None:
    """Make a rater's mask that came as a file an entry of a case's journal.

    It continues the rater's latest entry, else the case's latest base. A folder without a journal begins with ``base``,
    or, without one, with an empty label map on the mask's grid: the rater drew everything.

    Args:
        folder: The case's folder.
        mask: Labels uint8 (k, j, i). They must lie on the case's grid, or, with named segments as Slicer and DICOM
            store them, on a part of it. Its labels must be the case's: by key, else by name, else (for a map that names
            nothing) by value.
        rater: Who made it.
        base: What the rater started from, where it is not in the journal yet.
        status: Draft or final.
        comment: Free text.
        scan: Which scan it is, as ``scan_reference`` says.

    Returns:
        The new entry; None where the mask says what the rater's latest entry says, with the same status.

    Raises:
        InputError: if the mask lies on another grid, or the journal cannot be read.
        LabelError: if it holds a label that the case does not have.
        StorageError: if it cannot be written; the journal is as it was.
    """
    before = base or _started_from(folder, rater.name) or _nothing_on(mask)
    # Only programs that name segments save the part of the scan that holds them.
    extent = Extent.WHOLE if all(map(_names_nothing, mask.table)) else Extent.PART
    placed = on_case_grid(mask.labels, before.labels.grid, extent=extent)
    after = with_labels_of(Segmentation(placed, mask.table, mask.provenance), before.table)
    return record_correction(folder, before, after, rater=rater, status=status, comment=comment, scan=scan)


def with_labels_of(mask: Segmentation, table: LabelTable) -> Segmentation:
    """The mask in the numbers of a case's table.

    Raises:
        LabelError: if it holds a label that ``table`` lacks, or two of its labels are the same one of ``table``.
    """
    present = label_values(mask.labels.array)
    lookup, taken = np.arange(256, dtype=np.uint8), {}
    for label in (label for label in mask.table if label.value in present):
        known = _same_label(label, table)
        if known is None or known.value in taken:
            listed = ", ".join(f"{other.name} ({other.value})" for other in table)
            raise LabelError(
                f"'{mask.labels.name}' has a label '{label.name}' ({label.value}) that the case does not have."
                if known is None
                else f"'{mask.labels.name}' has two labels that are the case's '{known.name}'.",
                advice=f"The case has: {listed or 'none'}. Rename or renumber the mask's labels.",
            )
        lookup[label.value], taken[known.value] = known.value, label
    return Segmentation(mask.labels.with_array(lookup[mask.labels.array]), table, mask.provenance)


def _same_label(label: Label, table: LabelTable) -> Label | None:
    by_key = next((known for known in table if known.key == label.key), None)
    by_name = next((known for known in table if known.name.casefold() == label.name.casefold()), None)
    by_value = next((known for known in table if _names_nothing(label) and known.value == label.value), None)
    return by_key or by_name or by_value


def _names_nothing(label: Label) -> bool:
    return label.key == f"label_{label.value}"


def _started_from(folder: Folder, rater: str) -> Segmentation | None:
    if not (Path(folder).expanduser() / JOURNAL).exists():
        return None
    journal: Journal = read_journal(folder)
    entry = journal.standing(rater) or journal.latest_base()
    return segmentation_after(journal, entry) if entry else None


def _nothing_on(mask: Segmentation) -> Segmentation:
    empty = np.zeros(mask.labels.grid.shape, np.uint8)
    return Segmentation(Volume(empty, mask.labels.grid, name=mask.labels.name), mask.table)


def write_mask(
    path: str | os.PathLike[str],
    state: Segmentation,
    *,
    source: str | os.PathLike[str] | None = None,
    rater: str = "",
) -> None:
    """Write a state of a case as a mask for other programs.

    Args:
        path: ``.seg.nrrd`` (keeps names, colours, codes and the model's record), ``.nrrd``, NIfTI, ``.mha``, or
            ``.dcm`` for a DICOM segmentation.
        state: Labels uint8 (k, j, i), as :func:`~MedSegAI.Logic.corrections.replay.replay` gives them.
        source: The folder of the scan's DICOM series; a DICOM segmentation needs it.
        rater: Whom a DICOM segmentation names as its creator.

    Raises:
        DependencyError: if a DICOM segmentation is wanted and highdicom is not installed.
        InputError: if a DICOM segmentation is wanted without the series, or the labels do not lie on it.
        StorageError: if it cannot be written, or the ending is none of these.
    """
    if not str(path).casefold().endswith(".dcm"):
        write_segmentation(path, state.labels, state.table, state.provenance)
        return
    from MedSegAI.Logic.files.dicom.write_dicom_segmentation import write_dicom_segmentation
    from MedSegAI.Logic.files.read import read_volume

    if source is None:
        raise InputError(
            "A DICOM segmentation belongs to the DICOM series of the scan, and none was named.",
            advice="Name the series' folder, or write a .seg.nrrd.",
        )
    placed = on_case_grid(state.labels, read_volume(source).grid)
    write_dicom_segmentation(path, Segmentation(placed, state.table, state.provenance), source=source, creator=rater)
