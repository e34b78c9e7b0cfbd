"""What pretraining without labels is worth with 10, 25 and 100% of the labels of the hippocampus.

    python -m Testing.Benchmarks.pretraining_study FOLDER --data DIR    # runs what is missing, a JSON file a run
    python -m Testing.Benchmarks.pretraining_study --table              # the table and the picture from these files

Pretrains on the 140 training images without their labels, then trains from random and from pretrained weights with
nested parts of the labelled training cases, drawn by person, and measures each of the 62 validation cases with the
weights of the last step. Nothing of a validation image is seen before. All supervised runs do the same number of
steps: as many as fit into the given processor time, counted once on this machine and kept in ``budget.json``. FOLDER
keeps the runs: what was stopped goes on where it was, and what has a JSON file is not run again.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import random
import statistics
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch

from MedSegAI.Logic.errors import Cancelled
from MedSegAI.Logic.files.atomic import make_folder, write_beside
from MedSegAI.Logic.files.decathlon import Split, read_split
from MedSegAI.Logic.models.weights import build_network
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training.checkpoint import load_checkpoint
from MedSegAI.Logic.training.config import TrainingConfig, config_as_mapping, config_from_mapping, read_config
from MedSegAI.Logic.training.data import load_cases
from MedSegAI.Logic.training.decathlon_set import DecathlonValidationSet
from MedSegAI.Logic.training.pretrain.checkpoint import read_history
from MedSegAI.Logic.training.pretrain.config import read_pretraining_config
from MedSegAI.Logic.training.pretrain.pretrainer import STATE_NAME, WEIGHTS_NAME, pretrain
from MedSegAI.Logic.training.trainer import train
from Testing.Benchmarks.pretraining_tables import FRACTIONS, STARTS, draw, person_of, read_results, table

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPES = REPOSITORY / "MedSegAI" / "Resources" / "Training"
RESULTS = Path(__file__).resolve().parent / "pretraining_results"
PICTURE = REPOSITORY / "docs" / "pictures" / "pretraining.png"
STEPS_TIMED = 20
OVERLAP_WHEN_MEASURED = 0.5
EPOCHS_BETWEEN_VALIDATIONS = 8


class TellingReporter(SilentReporter):
    """Writes every sentence."""

    def message(self, text: str) -> None:
        print(text, flush=True)


def labelled_part(names: Sequence[str], *, fraction: float, seed: int) -> tuple[str, ...]:
    """Cases of so many people that they are at least ``fraction`` of all; a smaller part lies in every larger one."""
    people = sorted({person_of(name) for name in names})
    random.Random(seed).shuffle(people)
    chosen: list[str] = []
    for person in people:
        if len(chosen) >= fraction * len(names):
            break
        chosen += sorted(name for name in names if person_of(name) == person)
    return tuple(chosen)


def split_with_part(split: Split, part: Sequence[str]) -> dict[str, list[str]]:
    """The split of a run that learns from a part; names are repeated until an epoch is as long as one of all cases."""
    repeated = [part[place % len(part)] for place in range(len(split.train))]
    return {"train": repeated, "val": list(split.val)}


def pretrained_weights(folder: Path, options: argparse.Namespace) -> Path:
    """Pretrain, or take what an earlier call has pretrained; the history goes into the results."""
    config = dataclasses.replace(
        read_pretraining_config(RECIPES / "hippocampus-pretrain.yaml"),
        total_steps=None,
        cpu_minutes=options.pretraining_minutes,
        seed=options.seed,
    )
    result = options.results / f"pretraining-seed{options.seed}.json"
    if not (result.is_file() and (folder / WEIGHTS_NAME).is_file()):
        summary = pretrain(config, data=options.data / "imagesTr", output=folder, reporter=TellingReporter())
        facts = {
            "seed": options.seed,
            "minutes": options.pretraining_minutes,
            "steps": summary.steps,
            "cpu_seconds": round(summary.cpu_seconds, 1),
            "scans": summary.scans,
            "reconstruct_through": config.reconstruct_through,
            "tasks": dataclasses.asdict(config.tasks),
            "history": read_history(folder / STATE_NAME),
        }
        write_result(result, facts)
    return folder / WEIGHTS_NAME


class Stopwatch(SilentReporter):
    """Notes the processor time after each training step, and stops the run when there were enough."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def progress(self, done: int, total: int, stage: str) -> None:
        if stage == "training":
            self.times.append(time.process_time())

    def cancelled(self) -> bool:
        return len(self.times) > STEPS_TIMED

    @property
    def seconds_per_step(self) -> float:
        return statistics.median(later - earlier for earlier, later in pairwise(self.times))


def steps_of_budget(folder: Path, options: argparse.Namespace) -> int:
    """How many training steps fit into the processor time; counted once, so that every run does the same number."""
    path = options.results / "budget.json"
    if path.is_file():
        budget = json.loads(path.read_text(encoding="utf-8"))
        if budget["minutes"] == options.minutes:
            return budget["steps"]
        raise SystemExit(f"{path} is of {budget['minutes']} minutes a run: give these, or other --results.")
    split = read_split(options.data / "split.json")
    watch = Stopwatch()
    config = supervised_config("timing", split_with_part(split, split.train[:10]), folder, seed=1, steps=10_000)
    with contextlib.suppress(Cancelled):
        train(config, data=options.data, output=folder / "timing", reporter=watch)
    steps = round(options.minutes * 60 / watch.seconds_per_step)
    seconds = round(watch.seconds_per_step, 4)
    write_result(path, {"minutes": options.minutes, "cpu_seconds_per_step": seconds, "steps": steps})
    return steps


def supervised_config(
    name: str, split: dict, folder: Path, *, seed: int, steps: int, weights: str = ""
) -> TrainingConfig:
    """The recipe of the shipped model with a split, a length and a start of its own."""
    split_file = make_folder(folder / "splits") / f"{name}.json"
    split_file.write_text(json.dumps(split), encoding="utf-8")
    fields = config_as_mapping(read_config(RECIPES / "hippocampus-mr.yaml"))
    fields |= {"name": name, "seed": seed, "total_steps": steps, "initial_weights": weights}
    fields["data"]["split_file"] = str(split_file.resolve())
    fields["validation"]["every_epochs"] = EPOCHS_BETWEEN_VALIDATIONS
    return config_from_mapping(fields)


def run(start: str, percent: int, folder: Path, options: argparse.Namespace) -> None:
    """Train from one start with a part of the labels, measure every validation case, and write the result."""
    name = f"{start}-{percent}-seed{options.seed}"
    result = options.results / f"{name}.json"
    if result.is_file():
        return
    print(f"{name}:", flush=True)
    weights = pretrained_weights(folder / f"pretraining-seed{options.seed}", options) if start == "pretrained" else None
    split = read_split(options.data / "split.json")
    part = labelled_part(split.train, fraction=percent / 100, seed=options.seed)
    steps = steps_of_budget(folder, options)
    config = supervised_config(
        name,
        split_with_part(split, part),
        folder,
        seed=options.seed,
        steps=steps,
        weights=str(weights.resolve()) if weights else "",
    )
    summary = train(config, data=options.data, output=folder / name, reporter=TellingReporter())
    facts = {
        "start": start,
        "percent": percent,
        "seed": options.seed,
        "minutes": options.minutes,
        "pretraining_minutes": options.pretraining_minutes if weights else 0,
        "steps": summary.steps,
        "training_cases": list(part),
        "dice": measured(summary.checkpoint, config, split, options.data),
    }
    write_result(result, facts)


def measured(checkpoint: Path, config: TrainingConfig, split: Split, data: Path) -> dict[str, dict[str, float]]:
    """Dice of each label in each validation case, by the averaged weights of the last step."""
    validation = dataclasses.replace(config.validation, overlap=OVERLAP_WHEN_MEASURED)
    config = dataclasses.replace(config, validation=validation)
    network = build_network(config.network.name, config.network.arguments)
    network.load_state_dict(load_checkpoint(checkpoint).average)
    cases = load_cases(data, split.val, config.data)
    with torch.no_grad():
        scores = DecathlonValidationSet(cases, config).score(network.eval(), range(len(cases)))
    return {case.name: {label: round(value, 5) for label, value in score.items()} for case, score in zip(cases, scores)}


def write_result(path: Path, facts: dict) -> None:
    make_folder(path.parent)
    with write_beside(path) as temporary:
        temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"written: {path}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="What pretraining is worth with few labels.")
    parser.add_argument("folder", type=Path, nargs="?", help="folder that keeps the runs")
    parser.add_argument("--data", type=Path, help="the hippocampus data set in the Decathlon layout")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON files")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--minutes", type=float, default=6.0, help="processor minutes of each supervised run")
    parser.add_argument("--pretraining-minutes", type=float, default=6.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="run nothing: table and picture from what is there")
    options = parser.parse_args()
    if not options.table:
        if options.folder is None or options.data is None:
            parser.error("FOLDER and --data are needed to run anything")
        for percent in FRACTIONS:
            for start in STARTS:
                run(start, percent, make_folder(options.folder), options)
    results = read_results(options.results)
    print(table(results))
    draw(results, make_folder(options.picture.parent) / options.picture.name)


if __name__ == "__main__":
    main()
