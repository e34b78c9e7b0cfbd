"""The table of the lung nodule model: spheres, radiologists, rivals, ablations and the shipped model, on one split.

    python -m Testing.Benchmarks.nodule_model --data ../shared/data --train   # hours: trains what has no result yet
    python -m Testing.Benchmarks.nodule_model --data ../shared/data --shipped
    python -m Testing.Benchmarks.nodule_model --report           # tables and curve of the document, from the results

Each run's figures are kept in ``nodule_results`` as one small file and not computed again while it is there. Trainings
get equal CPU time, so that a busy computer changes how long they take and not what they reach.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from torch import nn

from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.models.weights import build_network, load_network
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training.checkpoint import load_checkpoint
from MedSegAI.Logic.training.nodules.case import NoduleCase, Source
from MedSegAI.Logic.training.nodules.config import NoduleDataConfig
from MedSegAI.Logic.training.nodules.opening import open_sets, read_nodules
from MedSegAI.Logic.training.nodules.point_at import segment_at
from MedSegAI.Logic.training.trainer import train
from Testing.Benchmarks.nodule_report import write_report
from Testing.Benchmarks.nodule_scores import Row, Segmenter, radiologist_rows, rows_of, write_rows
from Testing.Benchmarks.nodule_spheres import (
    best_radius,
    sphere_at_click,
    sphere_of_true_size,
    sphere_of_true_size_and_place,
)
from Testing.Benchmarks.nodule_variants import VARIANTS, Variant, config_of, register_rivals, seconds_of_a_step

RESULTS = Path(__file__).with_name("nodule_results")
DOCUMENT = Path(__file__).parents[2] / "docs" / "lung-nodules.md"
WINDOW = (64, 64, 64)
SHIPPED = "lung-nodule-ct"


class Study:
    """The cases, read when they are first needed, and where results and runs lie."""

    def __init__(self, data: Path, runs: Path, results: Path) -> None:
        self.data, self.runs, self.results = data, runs, results

    @cached_property
    def validated(self) -> list[NoduleCase]:
        return read_nodules(self.data, NoduleDataConfig(), subset="val")

    @cached_property
    def trained(self) -> list[NoduleCase]:
        return read_nodules(self.data, NoduleDataConfig(), subset="train")

    def keep(self, name: str, make: Callable[[], tuple[list[Row], dict[str, object]]]) -> None:
        """Write the rows of a name, unless they are there."""
        path = self.results / f"{name}.json"
        if not path.exists():
            rows, facts = make()
            write_rows(path, rows, facts)
            print(f"{path.name}: {len(rows)} rows", flush=True)


def plain_ways(study: Study) -> None:
    """Radiologists, and spheres, whose one radius is chosen for each set on its training cases."""

    def of_best_radius() -> tuple[list[Row], dict[str, object]]:
        rows, radii = [], {}
        for source in Source:
            mine = [case for case in study.trained if case.source is source]
            radii[source.value] = best_radius(mine)
            validated = [case for case in study.validated if case.source is source]
            rows += rows_of(sphere_at_click(radii[source.value]), validated)
        return rows, {"title": "Sphere at the click, best radius", "radius_mm": radii}

    def of(title: str, segment: Segmenter) -> Callable[[], tuple[list[Row], dict[str, object]]]:
        return lambda: (rows_of(segment, study.validated), {"title": title})

    study.keep("sphere", of_best_radius)
    study.keep("sphere-true-size", of("Sphere at the click, true size (told)", sphere_of_true_size))
    study.keep("sphere-true-place", of("Sphere of true size and place (told)", sphere_of_true_size_and_place))
    study.keep("radiologist", lambda: (radiologist_rows(study.validated), {"title": "One radiologist"}))


def trained_way(study: Study, variant: Variant, *, minutes: float) -> tuple[list[Row], dict[str, object]]:
    """Train a variant for so many minutes of CPU time and measure its averaged weights."""
    learned, _ = open_sets(config_of(variant, steps=1), study.data)
    torch.set_num_threads(1)
    a_step = seconds_of_a_step(config_of(variant, steps=1), learned)
    config = config_of(variant, steps=max(2, round(60 * minutes / a_step)))
    started = time.process_time()
    summary = train(config, data=study.data, output=study.runs / config.name, reporter=SilentReporter())
    seconds = time.process_time() - started
    network = build_network(config.network.name, config.network.arguments)
    network.load_state_dict(load_checkpoint(summary.checkpoint).average)
    facts: dict[str, object] = {
        "title": variant.title,
        "cpu_minutes": minutes,
        "steps": summary.steps,
        "cpu_seconds_of_a_step": round(a_step, 3),
        "cpu_seconds_with_reading_and_a_validation": round(seconds),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }
    return rows_of(pointing(network.eval(), config.data), study.validated), facts


def shipped_way(study: Study) -> tuple[list[Row], dict[str, object]]:
    """The model that is shipped, as it stands."""
    model = find_model(SHIPPED)
    facts = {"title": "The shipped model", "weights_sha256": model.card.weights_sha256}
    data = replace(NoduleDataConfig(), normalisation=model.card.inputs[0].normalisation)
    return rows_of(pointing(load_network(model), data), study.validated), facts


def pointing(network: nn.Module, data: NoduleDataConfig) -> Segmenter:
    """The network as a way of segmenting, by one window around the click."""
    return lambda case, click: segment_at(network, case, click, window=WINDOW, normalisation=data.normalisation)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="holds both sets of nodules")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where checkpoints go")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--train", action="store_true", help="train what has no result yet")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these variants only")
    parser.add_argument("--minutes", type=float, default=6.0, help="CPU minutes of each training")
    parser.add_argument("--shipped", action="store_true", help="measure the shipped model, if it has no result yet")
    parser.add_argument("--report", action="store_true", help=f"bring {DOCUMENT.name} up to date with the results")
    options = parser.parse_args()
    study = Study(options.data, options.runs, options.results)
    register_rivals()
    if options.train or options.shipped:
        plain_ways(study)
    if options.shipped:
        study.keep("shipped", lambda: shipped_way(study))
    if options.train:
        for variant in VARIANTS:
            if not options.only or variant.name in options.only:
                study.keep(variant.name, lambda v=variant: trained_way(study, v, minutes=options.minutes))
    if options.report:
        write_report(options.results, DOCUMENT)


if __name__ == "__main__":
    main()
