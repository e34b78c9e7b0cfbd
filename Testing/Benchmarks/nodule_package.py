"""Ship a run on nodules: the model folder, then its own figures on its card.

    python -m Testing.Benchmarks.nodule_package runs/lung-nodule-ct --data ../shared/data

The radiologist whom the model is held against must have been measured before (``nodule_model --shipped`` does so).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from MedSegAI.Logic.evaluation.intervals import Bootstrap, mean_of
from MedSegAI.Logic.evaluation.paired import paired_difference
from MedSegAI.Logic.evaluation.tables import CaseScores, Evaluation
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, Model, read_model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.training.checkpoint import load_checkpoint
from MedSegAI.Logic.training.nodules.case import NoduleCase, Source
from MedSegAI.Logic.training.nodules.package import package_nodule_model, with_nodule_accuracy
from Testing.Benchmarks.nodule_model import RESULTS, SHIPPED, Study, plain_ways, pointing
from Testing.Benchmarks.nodule_report import by_case, chosen
from Testing.Benchmarks.nodule_scores import (
    CLICK_ERRORS,
    CONSENSUS,
    FIGURES,
    OTHERS,
    Row,
    Segmenter,
    clicks_of,
    compare,
    read_rows,
    rows_of,
    write_rows,
)

CARD = Path(__file__).parents[2] / "MedSegAI" / "Resources" / "Training" / "lung-nodule-ct.card.json"
LABEL = "lung_nodule"
COMMAND = "python -m Testing.Benchmarks.nodule_model --data FOLDER --shipped"


def accuracy_of(rows: list[Row], radiologist: list[Row]) -> dict[str, Any]:
    """What the card says: means with intervals on both sets, Dice by click error, and the radiologist beside it."""
    found: dict[str, Any] = {"reference": "STAPLE of the radiologists; the drawn contour belongs to the nodule"}
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


def evaluation_of(segment: Segmenter, cubes: Sequence[NoduleCase], model: Model) -> Evaluation:
    """Each cube at one click of each error, against the consensus."""
    cases = []
    for place, case in enumerate(cubes):
        for error, click in dict(clicks_of(case, place)).items():
            started = time.perf_counter()
            found = segment(case, click)
            seconds = time.perf_counter() - started
            cases.append(CaseScores(f"{case.name}_error-{error}", seconds, {LABEL: compare(found, case.consensus)}))
    digest = model.card.weights_sha256
    return Evaluation(SHIPPED, digest, "lidc_cubes_ct", "val", tuple(cases), subject_rule="^([^_]+)")


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
    parser.add_argument("--history", default="", help="a sentence for the card: what was trained before this run")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED_MODELS / SHIPPED, help="where the model goes")
    options = parser.parse_args()
    study = Study(options.data, options.run.parent, options.results)
    plain_ways(study)
    template = ModelCard.from_json(CARD.read_text(encoding="utf-8"), source=str(CARD))
    checkpoint = options.run / "best.pt"
    notes = {"history": options.history} if options.history else {}
    model = package_nodule_model(checkpoint, template, folder=options.output, data=options.data, notes=notes)
    segment = pointing(load_network(model), load_checkpoint(checkpoint).config.data)
    rows = rows_of(segment, study.validated)
    radiologist, _ = read_rows(options.results / "radiologist.json")
    more = accuracy_of(rows, radiologist)
    cubes = [case for case in study.validated if case.source is Source.CUBES]
    with_nodule_accuracy(model, evaluation_of(segment, cubes, model), command=COMMAND, more=more)
    facts = {"title": "The shipped model", "weights_sha256": read_model(options.output).card.weights_sha256}
    write_rows(options.results / "shipped.json", rows, facts)
    print(json.dumps(more, indent=1))


if __name__ == "__main__":
    main()
