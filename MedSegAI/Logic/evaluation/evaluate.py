"""A model measured on labelled cases, through the same path that a user's scan takes."""

from __future__ import annotations

import time
from pathlib import Path

from MedSegAI.Logic.evaluation.intervals import subjects_of
from MedSegAI.Logic.evaluation.metrics import ScoreSettings, compare_masks
from MedSegAI.Logic.evaluation.tables import CaseScores, Evaluation
from MedSegAI.Logic.evaluation.voxel_curves import CaseProbabilities, VoxelCurves
from MedSegAI.Logic.files.decathlon import data_folder, read_case, read_subset
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.engines.open import open_engine
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled
from MedSegAI.Logic.settings import RunSettings


def evaluate(
    model: Model,
    dataset: Path,
    *,
    split: Path,
    subset: str,
    settings: RunSettings,
    reporter: Reporter,
    scoring: ScoreSettings | None = None,
    subject_rule: str = "",
    curves: VoxelCurves | None = None,
    engine: Engine | None = None,
) -> Evaluation:
    """Segment each case of a subset and compare it with its expert labels.

    Args:
        model: The model; its weights are read once.
        dataset: Folder in the Decathlon layout (``imagesTr``, ``labelsTr``); label values are those of the model.
        split: JSON file with lists of case names.
        subset: Which of its lists, such as "val".
        settings: How to segment.
        reporter: Told done/total in cases; may cancel between them.
        scoring: What the scores depend on; None takes the defaults.
        subject_rule: Finds the subject in a case's name, see :func:`subjects_of`; empty: each case is a subject.
        curves: Also gathers the curves of each case.
        engine: A warm engine of this model; None opens the one that the settings ask for.

    Raises:
        InputError: if the data set, the split or a file in it cannot be used, a label lies on another grid, or the
            rule finds no subject in a name.
        ModelError: if the model is damaged.
        DeviceError: if the device cannot be used.
        Cancelled: if the user asked to stop.
    """
    folder = data_folder(dataset)
    names = read_subset(split, subset)
    subjects_of(names, subject_rule)
    scoring = scoring or ScoreSettings()
    engine = engine or open_engine(model, settings=settings, reporter=reporter)
    cases = []
    for done, name in enumerate(names):
        raise_if_cancelled(reporter)
        reporter.progress(done, len(names), "evaluating")
        cases.append(_evaluate_case(folder, name, model, engine, settings, scoring, curves))
    reporter.progress(len(names), len(names), "evaluating")
    return Evaluation(
        model.card.name,
        model.card.weights_sha256,
        folder.resolve().name,
        subset,
        tuple(cases),
        scoring=scoring,
        subject_rule=subject_rule,
    )


def _evaluate_case(
    folder: Path,
    name: str,
    model: Model,
    engine: Engine,
    settings: RunSettings,
    scoring: ScoreSettings,
    curves: VoxelCurves | None,
) -> CaseScores:
    volume, reference = read_case(folder, name, modality=model.card.inputs[0].modality)
    started = time.perf_counter()
    # Each case would repeat the memory plan and the same warnings; only the count of cases is of interest.
    seen = None if curves is None else CaseProbabilities()
    watch = None if seen is None else seen.watch
    result = segment(volume, model, settings=settings, reporter=SilentReporter(), engine=engine, watch=watch)
    seconds = time.perf_counter() - started
    if seen is not None:
        curves.add(name, probabilities=seen, reference=reference, table=result.table)
    scores = {
        label.key: compare_masks(
            result.labels.array == label.value,
            reference.array == label.value,
            spacing_kji=volume.grid.spacing_kji,
            settings=scoring,
        )
        for label in result.table
    }
    return CaseScores(name, seconds, scores)
