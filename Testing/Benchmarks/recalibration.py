"""Recalibration on real hippocampi: a sharpened network is found out and set right, a real drift is told as one.

Two trials on training crops of the Medical Segmentation Decathlon, whose expert labels stand for corrections; the
shipped model saw them while it was trained, so its accuracy on them says nothing, but how sure its logits are and which
labels it gives can be changed in a known way:

1. all logits 2.5 times as large, which changes no label: the fitted temperature must come out 2.5 times that of the
   shipped model, and the calibration error must fall;
2. scans at half the resolution and with noise: accuracy must fall, and the rule must say so.

``python -m Testing.Benchmarks.recalibration [--cases N] [--report FOLDER]`` prints a Markdown table.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.torch import load_file
from scipy.ndimage import zoom

from MedSegAI.Logic.files.decathlon import data_folder, read_split
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, Model, read_model
from MedSegAI.Logic.models.weights import save_model
from MedSegAI.Logic.recalibrate.assess import Assessment, assess
from MedSegAI.Logic.recalibrate.decide import Rules
from MedSegAI.Logic.recalibrate.draft import write_draft
from MedSegAI.Logic.recalibrate.reviewed_cases import reviewed_cases
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Volume
from Testing.reviewed_cases import reviewed_crops

SHARPENED_BY = 2.5
_NOISE = 0.35
_COARSER = 2
_FIRST_CASE = 40


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both trials and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--report", type=Path, help="keep the reports in this folder")
    options = parser.parse_args(arguments)
    data = data_folder(None, name="msd_hippocampus")
    with tempfile.TemporaryDirectory() as room:
        os.environ["MEDSEGAI_MODELS"] = str(Path(room) / "models")
        shipped = read_model(SHIPPED_MODELS / "hippocampus-mr")
        names = read_split(data / "split.json").train[_FIRST_CASE : _FIRST_CASE + options.cases]
        plain = reviewed_crops(data, Path(room) / "plain", names)
        worse = reviewed_crops(data, Path(room) / "worse", names, scan_of=_worsened)
        trials = {
            "as shipped": _judged(shipped, plain),
            f"logits x {SHARPENED_BY:g}": _judged(_sharpened(shipped, Path(room) / "models"), plain),
            "coarse, noisy scans": _judged(shipped, worse),
        }
        if options.report is not None:
            for number, assessment in enumerate(trials.values()):
                write_draft(assessment, options.report / str(number))
    print(_table(trials))


def _worsened(volume: Volume, seed: int) -> Volume:
    array = volume.array.astype(np.float32)
    coarse = array[::_COARSER, ::_COARSER, ::_COARSER]
    blurred = zoom(coarse, [n / m for n, m in zip(array.shape, coarse.shape)], order=1)
    noise = np.random.default_rng(seed).normal(0, _NOISE * array.std(), array.shape)
    return volume.with_array((blurred + noise).astype(np.float32))


def _sharpened(shipped: Model, folder: Path) -> Model:
    state = load_file(shipped.weights_path)
    for key in ("out.conv.conv.weight", "out.conv.conv.bias"):
        state[key] = state[key] * SHARPENED_BY
    model = save_model(folder / "too-sure", dataclasses.replace(shipped.card, name="too-sure"), state=state)
    shutil.copyfile(shipped.folder / "validation.json", model.folder / "validation.json")
    return model


def _judged(model: Model, cases: Sequence[Path]) -> Assessment:
    rules = Rules()
    reviewed = reviewed_cases(cases, model, fewest=rules.fewest_cases)
    return assess(model, reviewed, rules=rules, settings=RunSettings(), reporter=SilentReporter())


def _table(trials: dict[str, Assessment]) -> str:
    lines = [
        "| Trial | Cases | Temperature | ECE before | after | Fall, left-out cases (95%) | Change of Dice | Verdict |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, found in trials.items():
        changes = ", ".join(f"{drift.change.value:+.3f}" for drift in found.drifts)
        lines.append(
            f"| {name} | {len(found.measured)} | {found.fitted.temperature:.2f} | {found.before.ece:.4f} "
            f"| {found.after.ece:.4f} | {found.gains.ece} | {changes} | {found.decision.verdict.value} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
