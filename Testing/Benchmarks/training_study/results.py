"""What a finished recipe leaves: one small JSON file with the score of every validation case."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from MedSegAI.Logic.evaluation.metrics import dice, hd95
from MedSegAI.Logic.files.atomic import make_folder, write_beside

RESULTS = Path(__file__).with_name("results")
LABELS = {1: "anterior", 2: "posterior"}
CaseScores = Mapping[str, Mapping[str, float | None]]
"""Label name -> "dice" 0..1 and "hd95" in mm, None where a mask is empty."""


@dataclass(frozen=True)
class Result:
    """One recipe, measured.

    Args:
        name: Of the recipe.
        cpu_minutes: Spent on training.
        steps: Trained.
        parameters: Of the network; of all networks of an ensemble together.
        variants: How the weights were used ("as trained", "with flips", "raw weights") -> case -> scores.
        remark: More to know, such as the patch that nnU-Net chose.
        versions: Of the packages.
        commit: Of this repository.
    """

    name: str
    cpu_minutes: float
    steps: int
    parameters: int
    variants: Mapping[str, Mapping[str, CaseScores]]
    remark: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""

    @property
    def megabytes(self) -> float:
        """Of the weights as float16."""
        return self.parameters * 2 / 1e6

    def mean_dice(self, variant: str) -> dict[str, float]:
        """Mean of both labels by case."""
        cases = self.variants[variant]
        return {case: float(np.mean([label["dice"] for label in labels.values()])) for case, labels in cases.items()}

    def of_label(self, variant: str, label: str, score: str) -> dict[str, float | None]:
        """One score of one label by case."""
        return {case: labels[label][score] for case, labels in self.variants[variant].items()}


def score_case(predicted: np.ndarray, reference: np.ndarray) -> CaseScores:
    """Dice and HD95 of both labels; label maps (k, j, i) of 1 mm voxels."""
    scores = {}
    for value, label in LABELS.items():
        found, true = predicted == value, reference == value
        distance = hd95(found, true, spacing_kji=(1.0, 1.0, 1.0))
        scores[label] = {
            "dice": round(dice(found, true), 5),
            "hd95": None if distance is None else round(distance, 3),
        }
    return scores


def score_cases(cases: Iterable[tuple[str, np.ndarray]], predict: Callable[[str], np.ndarray]) -> dict[str, CaseScores]:
    """Scores by case of the label maps that ``predict`` gives for the names of cases (name, expert's label map)."""
    return {name: score_case(predict(name), reference) for name, reference in cases}


def write_result(result: Result, folder: Path = RESULTS) -> Path:
    """Write NAME.json, a line a case, so that a change of one case is a change of one line."""
    make_folder(folder)
    facts = asdict(result)
    variants = facts.pop("variants")
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items()]
    parts = []
    for variant, cases in variants.items():
        rows = ",\n".join(f"  {json.dumps(case)}: {json.dumps(scores)}" for case, scores in cases.items())
        parts.append(f" {json.dumps(variant)}: {{\n{rows}\n }}")
    lines.append('"variants": {\n' + ",\n".join(parts) + "\n}")
    path = folder / f"{result.name}.json"
    with write_beside(path) as temporary:
        temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return path


def read_results(folder: Path = RESULTS) -> dict[str, Result]:
    """All results that are there, by name."""
    found = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json")))
    return {content["name"]: Result(**content) for content in found}


def versions(*packages: str) -> dict[str, str]:
    """Versions of the packages that are installed here."""
    return {name: importlib.metadata.version(name) for name in packages}


def current_commit() -> str:
    """Of this repository; empty outside of one."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()
