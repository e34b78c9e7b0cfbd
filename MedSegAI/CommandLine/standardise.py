"""``medsegai standardise``: a scan through steps of preparation; a picture and a record of each on request."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.scan_options import add_scan_options, modality_of
from MedSegAI.CommandLine.written_files import WrittenFiles, told_what_was_written

if TYPE_CHECKING:
    from MedSegAI.Logic.standardise.step import Standardised, Step
    from MedSegAI.Logic.step_record import StepRecord
    from MedSegAI.Logic.volume import Modality, Volume

_KEEPS_RECORD = ".nrrd"
_EXAMPLES = """examples:
  medsegai standardise --list --modality MR
  medsegai standardise head.nii.gz -o even.nrrd --step n4 --step z-score --picture even.png --extras fields
  medsegai standardise CT_FOLDER -o lung.nrrd --step hu-offset --step window:preset=lung
  medsegai standardise PET_FOLDER -o suv.nrrd --step suv:by=lbm
  medsegai standardise head.nii.gz -o alike.nrrd --step histogram-match:reference=other.nii.gz
  medsegai standardise --train-nyul landmarks.json scans/*.nii.gz
  medsegai standardise head.nii.gz -o alike.nrrd --step nyul:landmarks=landmarks.json
"""


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``standardise``."""
    parser = commands.add_parser(
        "standardise",
        parents=[common],
        help="bring a scan into shape: HU, bias field, histogram, SUV",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs",
        type=Path,
        nargs="*",
        metavar="INPUT",
        help="NIfTI, NRRD or MetaImage file, or a DICOM folder; several for --train-nyul",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.nrrd", help="the scan afterwards, with its record")
    add_scan_options(parser)
    parser.add_argument("--picture", type=Path, metavar="OUT.png", help="before and after, side by side")
    parser.add_argument("--extras", type=Path, metavar="DIR", help="what steps found beside, such as the bias field")
    parser.add_argument("--list", action="store_true", help="list the steps with their settings")
    parser.add_argument(
        "--train-nyul", type=Path, metavar="OUT.json", help="learn histogram landmarks from the scans, and store them"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """List the steps, learn landmarks, or bring a scan into shape; each file is whole or not there."""
    if options.list:
        _refuse_beside(options, "--list", "inputs", "output", "steps", "series", "picture", "extras", "train_nyul")
        return _list(modality_of(options))
    if options.train_nyul is not None:
        _refuse_beside(options, "--train-nyul", "output", "steps", "series", "picture", "extras")
        return _train(options, reporter)
    return _apply(options, reporter)


def _apply(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.files.read import read_volume
    from MedSegAI.Logic.files.step_files import step_from_text_and_files
    from MedSegAI.Logic.files.write import write_volume
    from MedSegAI.Logic.standardise.step import apply_steps

    files = _wanted_files(options)
    steps = tuple(step_from_text_and_files(text) for text in options.steps)
    scan = read_volume(options.inputs[0], modality=modality_of(options), series=options.series)
    done = apply_steps(scan, steps, reporter=reporter)
    with told_what_was_written(files):
        files.write("scan", lambda path: write_volume(path, done.volume))
        if "picture" in files.wanted:
            from MedSegAI.Logic.report.before_after import before_after_figure
            from MedSegAI.Logic.report.plane_drawing import write_figure

            files.write("picture", lambda path: write_figure(path, before_after_figure(scan, done)))
        if "extras" in files.wanted:
            files.write("extras", lambda folder: _write_extras(folder, done))
    return _outcome(scan, done, steps, files, options)


def _write_extras(folder: Path, done: Standardised) -> None:
    from MedSegAI.Logic.files.atomic import make_folder
    from MedSegAI.Logic.files.write import write_volume

    folder = make_folder(folder)
    for name, extra in done.extras.items():
        write_volume(folder / f"{name.replace('_', '-').replace(' ', '-')}.nrrd", extra)


def _outcome(
    scan: Volume, done: Standardised, steps: tuple[Step, ...], files: WrittenFiles, options: argparse.Namespace
) -> Outcome:
    records = done.volume.steps[len(scan.steps) :]
    facts = {
        "files": files.as_facts(),
        "steps": [record.to_plain() for record in records],
        "unit": {"before": scan.unit.value, "after": done.volume.unit.value},
        "can_be_undone": done.undo is not None,
    }
    lines = [_told(record, steps) for record in records]
    if options.extras is not None and not done.extras:
        lines.append("No step found anything beside the scan.")
    if not options.output.name.casefold().endswith(_KEEPS_RECORD):
        lines.append("The file has no place for the record of what was done; a .nrrd has.")
    return Outcome(facts, (*lines, files.sentence()))


def _told(record: StepRecord, steps: tuple[Step, ...]) -> str:
    titles = {step.kind: step.title for step in steps}
    return f"{titles.get(record.step, record.step)}: {record.sentence}"


def _list(modality: Modality | None) -> Outcome:
    from MedSegAI.Logic.files.step_files import settings_as_written
    from MedSegAI.Logic.standardise.catalogue import step_kinds_for
    from MedSegAI.Logic.volume import Modality

    facts, rows = [], [("STEP", "FOR", "WHAT", "SETTINGS AND DEFAULTS")]
    for kind in step_kinds_for(modality or Modality.UNKNOWN):
        settings = settings_as_written(kind)
        scans = [one.value for one in kind.modalities]
        facts.append({"step": kind.kind, "title": kind.title, "modalities": scans, "settings": settings})
        shown = ", ".join(f"{name}={value}" for name, value in settings.items())
        rows.append((kind.kind, ", ".join(scans), kind.title, shown))
    return Outcome({"steps": facts}, columns(rows))


def _train(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.files.atomic import write_beside
    from MedSegAI.Logic.files.read import read_volume
    from MedSegAI.Logic.reporter import raise_if_cancelled
    from MedSegAI.Logic.standardise.mr.nyul import Nyul

    if not options.inputs:
        raise UsageError("--train-nyul needs scans to learn from.", advice="Name them behind the landmarks' file.")
    refuse_unusable([Output("--train-nyul", options.train_nyul, (".json",))], inputs=options.inputs)

    def scans() -> Iterator[Volume]:
        for number, path in enumerate(options.inputs):
            raise_if_cancelled(reporter)
            yield read_volume(path, modality=modality_of(options))
            reporter.progress(number + 1, len(options.inputs), "learning landmarks")

    learned = Nyul.trained_on(scans()).learned
    with write_beside(options.train_nyul) as beside:
        beside.write_text(learned.to_json(), encoding="utf-8")
    facts = {"file": str(options.train_nyul), "scans": learned.scans, "landmarks": list(learned.values)}
    values = ", ".join(f"{value:.1f}" for value in learned.values)
    line = f"Landmarks of {learned.scans} scans on a scale of 0 to 100: {values}."
    return Outcome(facts, (line, f"Written: landmarks '{options.train_nyul}'."))


def _wanted_files(options: argparse.Namespace) -> WrittenFiles:
    """What will be written, in this order, once every option was found usable."""
    from MedSegAI.Logic.files.formats import SCAN_ENDINGS

    if len(options.inputs) != 1:
        raise UsageError(f"One scan is needed, and {len(options.inputs)} were given.", advice="Name one INPUT.")
    if options.output is None:
        raise UsageError("Where the scan goes is missing.", advice="Add -o OUT.nrrd.")
    if not options.steps:
        raise UsageError(
            "No step was asked for.", advice="Add --step KIND; 'medsegai standardise --list' says which there are."
        )
    asked = [("scan", Output("-o", options.output, SCAN_ENDINGS))]
    if options.picture is not None:
        asked.append(("picture", Output("--picture", options.picture, (".png",))))
    refuse_unusable([output for _, output in asked], inputs=options.inputs)
    wanted = {what: output.path for what, output in asked}
    if options.extras is not None:
        _refuse_extras(options, wanted)
        wanted["extras"] = options.extras
    return WrittenFiles(wanted)


def _refuse_extras(options: argparse.Namespace, wanted: Mapping[str, Path]) -> None:
    folder = options.extras.expanduser()
    if folder.is_dir():
        return
    places = {path.expanduser().resolve() for path in wanted.values()}
    if folder.exists() or folder.resolve() in places:
        raise UsageError(f"--extras '{folder}' is a file, not a folder.", advice="Name a folder, which is made.")
    # What holds for a file that is not there yet holds for a folder.
    refuse_unusable([Output("--extras", folder, (folder.name.casefold(),))])


def _refuse_beside(options: argparse.Namespace, chosen: str, *others: str) -> None:
    for name in others:
        if getattr(options, name) not in (None, [], False):
            shown = {"inputs": "INPUT", "steps": "--step"}.get(name, f"--{name.replace('_', '-')}")
            raise UsageError(f"{shown} does not go with {chosen}.", advice="Leave one of them out.")
