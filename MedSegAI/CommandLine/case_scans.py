"""The scans of a run as the user named them: read, brought into shape, and into one space."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.case_options import named_paths
from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.align.alignment import Alignment
    from MedSegAI.Logic.inference.scans import InputScans
    from MedSegAI.Logic.models.card import ModelCard
    from MedSegAI.Logic.standardise.step import Step
    from MedSegAI.Logic.volume import Volume
    from MedSegAI.Logic.worker.runner import Runner


def paths_by_input(card: ModelCard, paths: Sequence[Path], named: Sequence[str]) -> dict[str, Path]:
    """Which file is meant for which of the model's inputs, in the card's order.

    Args:
        card: The model's card.
        paths: Files without a name, in the order of the card's inputs.
        named: ``NAME=PATH`` of each ``--input``.

    Raises:
        UsageError: for files with and without names, for none, for more than the model takes, or an unknown name.
    """
    known = [entry.name for entry in card.inputs]
    by_name = named_paths(named)
    if bool(paths) == bool(by_name):
        problem = "Scans are given both with and without --input." if paths else "There is no scan to work on."
        raise UsageError(problem, advice="Give the scans in the order of the model's inputs, or each by --input.")
    if len(paths) > len(known):
        raise UsageError(
            f"{len(paths)} scans are given; '{card.name}' takes {len(known)}: {', '.join(known)}.",
            advice="Give no more than these, in this order.",
        )
    by_name = by_name or dict(zip(known, paths))
    for name in by_name:
        _refuse_unknown(name, known, "--input", card)
    return {name: by_name[name] for name in known if name in by_name}


def read_scans(
    options: argparse.Namespace, card: ModelCard, paths: dict[str, Path], reporter: ConsoleReporter
) -> InputScans:
    """Read the scans, and tell which file is taken for which input where there are several.

    Raises:
        InputError: for a file that cannot be read, or one that is missing.
        UsageError: for an option that names an input which is not there.
    """
    from MedSegAI.Logic.files.read import read_volume
    from MedSegAI.Logic.inference.scans import InputScans

    if options.reference is not None:
        _refuse_unknown(options.reference, list(paths), "--reference", card)
    series = _series(options.series, list(paths))
    scans = {name: read_volume(path, series=series.get(name)) for name, path in paths.items()}
    if len(card.inputs) > 1:
        taken = "; ".join(f"{name}: '{scan.name}'" for name, scan in scans.items())
        reporter.message(f"The scans are taken for {taken}.")
    return InputScans(_told_apart(scans), options.reference or "").for_card(card)


def prepared(
    case: InputScans, options: argparse.Namespace, *, card: ModelCard, runner: Runner, reporter: ConsoleReporter
) -> InputScans:
    """The scans after the steps of ``--prepare`` and, where needed, registered to the reference.

    Raises:
        InputError: if a step refuses a scan, or the scans cannot be brought into one space.
        UsageError: for a step that names an input which is not there.
    """
    from MedSegAI.Logic.inference.bring_together import AlignChoice, bring_together
    from MedSegAI.Logic.inference.scans import InputScans

    scans = dict(case.by_name)
    for name, steps in _steps(options.prepare, list(scans), card).items():
        scans[name] = runner.start_standardise(scans[name], steps, reporter=reporter).wait().volume
        for record in scans[name].steps[-len(steps) :]:
            reporter.message(f"{scans[name].name}: {record.sentence}")

    def align(moving: Volume, reference: Volume) -> Alignment:
        return runner.start_align(moving, reference=reference, reporter=reporter).wait()

    case = InputScans(scans, case.reference)
    return bring_together(case, AlignChoice(options.align), align=align, reporter=reporter)


def _series(texts: Sequence[str], names: list[str]) -> dict[str, str]:
    """The series of each input; a text without the name of an input is meant for all that are not named."""
    for_all: dict[str, str] = {}
    named: dict[str, str] = {}
    for text in texts:
        name, sign, uid = text.partition("=")
        if sign and name in names:
            named[name] = uid
        else:
            for_all = dict.fromkeys(names, text)
    return for_all | named


def _steps(texts: Sequence[str], names: list[str], card: ModelCard) -> dict[str, tuple[Step, ...]]:
    """The steps of each input, in the order in which they were written."""
    from MedSegAI.Logic.files.step_files import step_from_text_and_files

    steps: dict[str, tuple[Step, ...]] = {}
    for text in texts:
        head, colon, settings = text.partition(":")
        name, sign, kind = head.rpartition("=")
        if sign:
            _refuse_unknown(name, names, "--prepare", card)
        step = step_from_text_and_files(f"{kind}{colon}{settings}")
        for one in [name] if sign else names:
            steps[one] = (*steps.get(one, ()), step)
    return steps


def _refuse_unknown(name: str, known: list[str], option: str, card: ModelCard) -> None:
    if name not in known:
        raise UsageError(
            f"{option} names '{name}', which is none of the inputs here.",
            advice=f"Choose one of: {', '.join(known)} ('{card.name}').",
        )


def _told_apart(scans: dict[str, Volume]) -> dict[str, Volume]:
    """Scans of one name (two files called image.nii.gz) are called after their inputs, so that sentences are clear."""
    from dataclasses import replace

    names = [scan.name for scan in scans.values()]
    if len(set(names)) == len(names):
        return scans
    return {name: replace(scan, name=f"{name} ({scan.name})") for name, scan in scans.items()}
