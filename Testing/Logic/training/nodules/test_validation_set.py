"""Each nodule is pointed at once, and what was found can be named and shown."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.training.nodules.config import NoduleDataConfig
from MedSegAI.Logic.training.nodules.validation_set import NoduleValidationSet
from MedSegAI.Logic.training.training_set import ShowsCases
from Testing.Logic.training.nodules.conftest import nodule_case
from Testing.Logic.training.nodules.test_point_at import Bright


def test_what_is_shown_is_what_is_scored() -> None:
    case = nodule_case()
    watched = NoduleValidationSet([case], NoduleDataConfig(click_error=0.3), window=(64, 64, 64))
    assert isinstance(watched, ShowsCases)
    assert watched.names == ["a"]
    shown = watched.show(Bright(), 0)
    assert watched.score(Bright(), [0]) == [{"nodule": dice(shown.predicted, case.consensus)}]
    assert np.array_equal(shown.reference, case.consensus)
    assert shown.image.shape == shown.predicted.shape == case.hu.shape
    assert (shown.image.min(), shown.spacing_mm) >= (0.0, (1.0, 1.0, 1.0))
