"""Evaluations read back from the JSON that ``medsegai evaluate`` or a model's ``validation.json`` holds."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.intervals import Bootstrap
from MedSegAI.Logic.evaluation.metrics import MaskScores, ScoreSettings
from MedSegAI.Logic.evaluation.tables import METRICS, CaseScores, Evaluation


def read_evaluation(path: Path) -> Evaluation:
    """An evaluation from its file; scores that an older version did not measure are None.

    Raises:
        InputError: if the file cannot be read or is no evaluation.
    """
    try:
        return evaluation_from_plain(json.loads(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}.", advice="Check the path.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"'{path}' is no table of 'medsegai evaluate'.", advice="Give the file that its option -o wrote."
        ) from error


def evaluation_from_plain(plain: Mapping[str, Any]) -> Evaluation:
    """The evaluation that :meth:`Evaluation.to_plain` described, of this version or an older one.

    Raises:
        KeyError, TypeError, ValueError: if it is no such description.
    """
    cases = tuple(_case(case) for case in plain["cases"])
    if len({case.case for case in cases}) < len(cases):
        raise ValueError("a case is there twice")
    return Evaluation(
        model=plain["model"],
        model_sha256=plain["model_sha256"],
        dataset=plain["dataset"],
        subset=plain["subset"],
        cases=cases,
        scoring=ScoreSettings(**plain.get("scoring", {})),
        bootstrap=Bootstrap(**plain.get("bootstrap", {})),
        subject_rule=plain.get("subject_rule", ""),
    )


def _score(plain: object) -> float | None:
    if plain is None:
        return None
    if isinstance(plain, bool) or not isinstance(plain, int | float) or not math.isfinite(plain):
        raise ValueError(f"{plain!r} is no score")
    return plain


def _case(plain: Mapping[str, Any]) -> CaseScores:
    labels = {
        label: MaskScores(**{metric: _score(scores.get(metric)) for metric in METRICS})
        for label, scores in plain["labels"].items()
    }
    return CaseScores(plain["case"], plain["seconds"], labels)
