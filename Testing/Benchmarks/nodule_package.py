"""Ship a run on nodules: the model folder, then its own figures on its card.

    python -m Testing.Benchmarks.nodule_package runs/lung-nodule-ct --data ../shared/data

The radiologist whom the model is held against must have been measured before (``nodule_model --shipped`` does so).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from MedSegAI.Logic.evaluation.intervals import Bootstrap, mean_of
from MedSegAI.Logic.evaluation.paired import paired_difference
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, read_model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.training.checkpoint import load_checkpoint
from MedSegAI.Logic.training.nodules.package import package_nodule_model, with_nodule_accuracy
from Testing.Benchmarks.nodule_model import RESULTS, SHIPPED, Study, plain_ways, pointing
from Testing.Benchmarks.nodule_report import by_case, chosen
from Testing.Benchmarks.nodule_scores import (
    CLICK_ERRORS,
    CONSENSUS,
    FIGURES,
    OTHERS,
    Row,
    read_rows,
    rows_of,
    write_rows,
)

CARD = Path(__file__).parents[2] / "MedSegAI" / "Resources" / "Training" / "lung-nodule-ct.card.json"
COMMAND = "python -m Testing.Benchmarks.nodule_model --data FOLDER --shipped"


def accuracy_of(rows: list[Row], radiologist: list[Row]) -> dict[str, Any]:
    """What the card says: means with intervals on both sets, Dice by click error, and the radiologist beside it."""
    found: dict[str, Any] = {"command": COMMAND, "dataset": "LIDC-IDRI, validation patients", "reference": "STAPLE"}
    for source in ("cubes", "slices"):
        mine, theirs = chosen(rows, source, OTHERS), chosen(radiologist, source, OTHERS)
        subjects = {row.case: row.patient for row in theirs}
        paired = paired_difference(by_case(mine), by_case(theirs), subjects=subjects)
        found[source] = {
            "nodules": len({row.case for row in chosen(rows, source, CONSENSUS)}),
            "against_the_consensus": {figure: _mean(chosen(rows, source, CONSENSUS), figure) for figure in FIGURES},
            "dice_with_three_radiologists": {
                "model": _rounded(paired.one),
                "fourth_radiologist": _rounded(paired.other),
                "difference": _rounded(paired.difference),
                "interval": [_rounded(paired.low), _rounded(paired.high)],
                "nodules": paired.cases,
            },
            "dice_by_click_error": {
                str(error): _rounded(
                    mean_of([r.dice for r in chosen(rows, source, CONSENSUS) if r.error == error]).value
                )
                for error in CLICK_ERRORS
            },
        }
    return found


def _mean(rows: list[Row], figure: str) -> dict[str, float | None]:
    subjects = [row.patient for row in rows]
    mean = mean_of([getattr(row, figure) for row in rows], subjects=subjects, bootstrap=Bootstrap())
    return {"mean": _rounded(mean.value), "low": _rounded(mean.low), "high": _rounded(mean.high)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of the run; its best.pt is taken")
    parser.add_argument("--data", type=Path, required=True, help="holds both sets of nodules")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED_MODELS / SHIPPED, help="where the model goes")
    options = parser.parse_args()
    study = Study(options.data, options.run.parent, options.results)
    plain_ways(study)
    template = ModelCard.from_json(CARD.read_text(encoding="utf-8"), source=str(CARD))
    checkpoint = options.run / "best.pt"
    model = package_nodule_model(checkpoint, template, folder=options.output, data=options.data)
    rows = rows_of(pointing(load_network(model), load_checkpoint(checkpoint).config.data), study.validated)
    radiologist, _ = read_rows(options.results / "radiologist.json")
    accuracy = accuracy_of(rows, radiologist)
    cases = json.dumps([asdict(row) for row in rows if row.against == CONSENSUS], indent=None)
    with_nodule_accuracy(model, accuracy, cases=cases.replace("}, {", "},\n{") + "\n")
    facts = {"title": "The shipped model", "weights_sha256": read_model(options.output).card.weights_sha256}
    write_rows(options.results / "shipped.json", rows, facts)
    print(json.dumps(accuracy, indent=1))


if __name__ == "__main__":
    main()
