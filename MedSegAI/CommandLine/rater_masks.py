"""Whose masks ``medsegai consensus`` fuses: read from files or from a case's journal, on one grid under one table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.Logic.errors import InputError

if TYPE_CHECKING:
    from MedSegAI.Logic.consensus.common_grid import GridChoice
    from MedSegAI.Logic.consensus.ratings import Ratings
    from MedSegAI.Logic.files.read_segmentation import Segmentation
    from MedSegAI.Logic.volume import Volume

    RaterMasks = Sequence[tuple[str, Segmentation]]


def add_rater_options(parser: argparse.ArgumentParser) -> None:
    """Add the masks, or the case, and who made them."""
    parser.add_argument(
        "masks", type=Path, nargs="*", metavar="MASK", help="a rater's .seg.nrrd, NIfTI, NRRD or DICOM segmentation"
    )
    parser.add_argument("--case", type=Path, metavar="FOLDER", help="fuse the final corrections of a case's journal")
    parser.add_argument(
        "--rater",
        action="extend",
        nargs="+",
        metavar="NAME",
        help="who made each mask (default: the files' names); with --case, whose corrections (default: all)",
    )
    parser.add_argument(
        "--resample",
        action="store_true",
        help="bring masks on different grids to one: parts of one lattice are joined, which changes no voxel; others "
        "are resampled to the grid of --scan or, without it, of the first mask",
    )
    parser.add_argument("--scan", type=Path, metavar="SCAN", help="the scan, for the report's picture and --resample")


def refuse_unclear_raters(options: argparse.Namespace) -> None:
    """Raise :class:`UsageError` unless it is clear which masks are meant and who made each."""
    if (options.case is None) == (not options.masks):
        raise UsageError("Either masks or --case must be given.", advice="Name the raters' files, or a case's folder.")
    if options.case is not None:
        if options.resample:
            raise UsageError("--resample is for masks; a case's journal has one grid.", advice="Leave it out.")
        return
    places = [path.expanduser().resolve() for path in options.masks]
    twice = next((path for path, place in zip(options.masks, places) if places.count(place) > 1), None)
    if twice is not None:
        raise UsageError(f"The mask '{twice}' is given twice.", advice="Give each rater's mask once.")
    if options.rater is not None and len(options.rater) != len(options.masks):
        raise UsageError(
            f"There are {len(options.masks)} masks and {len(options.rater)} names in --rater.",
            advice="Name the rater of each mask, in the same order.",
        )


def ratings_asked_for(options: argparse.Namespace, scan: Volume | None, reporter: ConsoleReporter) -> Ratings:
    """The raters' masks on one grid, under one table of labels.

    Raises:
        InputError: if a file cannot be read or is no label map, its segments overlap, grids differ without
            ``--resample``, a rater comes twice, or a rater has no final correction.
        LabelError: if the masks have different labels.
    """
    if options.case is not None:
        return _ratings_of_case(options.case, options.rater, reporter)
    from MedSegAI.Logic.consensus.unify import ratings_of
    from MedSegAI.Logic.corrections.masks import read_mask

    names = options.rater or _names_from(options.masks)
    given = [(name, read_mask(path)) for name, path in zip(names, options.masks)]
    return ratings_of(given, grids=_grid_choice(given, scan if options.resample else None, options, reporter))


def _ratings_of_case(folder: Path, wanted: Sequence[str] | None, reporter: ConsoleReporter) -> Ratings:
    from MedSegAI.Logic.corrections.case_ratings import case_ratings
    from MedSegAI.Logic.corrections.journal import read_journal

    journal = read_journal(folder)
    if journal.note:
        reporter.message(journal.note)
    ratings = case_ratings(journal, raters=wanted)
    missing = [name for name in wanted or journal.raters if name not in ratings.raters]
    if missing and wanted:
        raise InputError(
            f"'{folder}' holds no final correction of {', '.join(missing)}.",
            advice=f"It has final corrections of {', '.join(ratings.raters)}.",
        )
    if missing:
        reporter.message(f"Left out, for want of a final correction: {', '.join(missing)}.")
    return ratings


def _names_from(masks: Sequence[Path]) -> list[str]:
    """The files' names without ending; where two are alike, their folders' names, as in anna/mask.nii.gz."""
    from MedSegAI.Logic.files.formats import name_of

    names = [name_of(path) for path in masks]
    if len(set(names)) == len(names):
        return names
    folders = [path.expanduser().resolve().parent.name for path in masks]
    if len(set(folders)) == len(folders):
        return folders
    return [f"{folder}/{name}" for folder, name in zip(folders, names)]


def _grid_choice(
    given: RaterMasks, scan: Volume | None, options: argparse.Namespace, reporter: ConsoleReporter
) -> GridChoice:
    from MedSegAI.Logic.consensus.common_grid import GridChoice, common_grid

    grids = {name: one.labels.grid for name, one in given}
    try:
        common_grid(grids, GridChoice.must_match())
        return GridChoice.must_match()
    except InputError as error:
        if not options.resample:
            raise InputError(
                error.problem, advice="Check that all are of one scan; --resample brings them to one grid."
            ) from error
    try:
        common_grid(grids, GridChoice.join_extents())
        return GridChoice.join_extents()
    except InputError:
        source = given[0][0] if scan is None else scan.name
        reporter.message(f"Masks on other grids were resampled to the grid of '{source}'.")
    return GridChoice.resample_to_first() if scan is None else GridChoice.resample_to(scan.grid)
