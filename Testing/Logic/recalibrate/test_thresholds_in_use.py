"""What was fitted on the voxels that are kept is what a segmentation with the new card does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.inference.engines.open import open_torch_engine
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.calibration import Calibration
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.recalibrate.case_logits import LEAST_LOG_ODDS, CaseLogits, case_logits
from MedSegAI.Logic.recalibrate.decide import Decision, Verdict
from MedSegAI.Logic.recalibrate.fit import fit_thresholds, mean_dice
from MedSegAI.Logic.recalibrate.reviewed_cases import reviewed_cases
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import DeviceChoice, RunSettings


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.75])
def test_dice_of_the_kept_voxels_is_dice_of_the_whole_segmentation(made_once, sharpened, threshold):
    """At temperature 4 a threshold of 0.3 reaches far down, and still no further than voxels are kept."""
    labels = sharpened.card.labels
    calibration = Calibration(4.0, dict.fromkeys((label.key for label in labels), threshold))
    model = Model(sharpened.folder, dataclasses.replace(sharpened.card, calibration=calibration))
    case, kept = made_once.assessment.cases[0], made_once.assessment.measured[0]
    found = segment(read_volume(case.scan), model, settings=RunSettings(), reporter=SilentReporter()).labels.array
    drawn = case.reference().labels.array
    by_segmenting = np.mean([dice(found == label.value, drawn == label.value) for label in labels])
    assert mean_dice([kept], labels, calibration).tolist() == [pytest.approx(by_segmenting, abs=1e-6)]


@pytest.mark.parametrize("temperature", [1.0, 4.5, 20.0])
def test_no_threshold_reaches_voxels_that_were_not_kept(sharpened, temperature):
    """Every kept voxel is a label to the experts, so the lowest threshold would look best."""
    logits = np.tile([[3.8, 0.0, -20.0], [3.8, -20.0, 0.0]], (50, 1)).astype(np.float32)
    case = CaseLogits("one", logits, np.tile([1, 2], 50).astype(np.uint8), {})
    thresholds = fit_thresholds([case], sharpened.card.labels, temperature=temperature)
    for value in thresholds.values():
        assert temperature * np.log(value / (1 - value)) >= LEAST_LOG_ODDS


@pytest.mark.parametrize(("temperature", "thresholds"), [(True, False), (False, True), (True, True)])
def test_what_is_adopted_in_part_decides_as_it_was_measured(made_once, temperature, thresholds):
    """Thresholds belong to a temperature: adopted without it, or with a new one, they are converted."""
    key = made_once.model.card.labels.find(1).key
    present, fitted = Calibration(1.5, {key: 0.4}), Calibration(3.0, {key: 0.3})
    card = dataclasses.replace(made_once.model.card, calibration=present)
    assessment = dataclasses.replace(
        made_once.assessment,
        model=Model(made_once.model.folder, card),
        fitted=fitted,
        decision=Decision(Verdict.RECALIBRATE, temperature, thresholds, ()),
    )
    adopted, decides = assessment.adopted, fitted if thresholds else present
    assert adopted.temperature == (3.0 if temperature else 1.5)
    borders = [np.multiply(one.temperature, one.offsets(card.labels)) for one in (adopted, decides)]
    np.testing.assert_allclose(*borders)


def test_a_case_in_which_nobody_finds_anything_is_left_out_with_a_sentence(sharpened, review):
    (folder,) = review(1, labels_of=np.zeros_like)
    (case,) = reviewed_cases([folder], sharpened, fewest=1)
    engine = open_torch_engine(sharpened, device=DeviceChoice.CPU, reporter=SilentReporter())

    class SeesNothing:
        """The model's engine, for which everything is background beyond doubt."""

        def __getattr__(self, name):
            return getattr(engine, name)

        def predict(self, windows):
            found = engine.predict(windows).clone()
            found[:, 0] = 100.0
            return found

    with pytest.raises(InputError, match="Neither the reviewers nor 'too-sure' find a structure"):
        case_logits(case, sharpened, engine=SeesNothing(), settings=RunSettings())
