from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.catalogue import step_from_plain, step_from_text, step_kinds
from MedSegAI.Logic.standardise.mr.histogram_match import HistogramMatch
from MedSegAI.Logic.standardise.mr.n4 import N4
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.standardise.step import apply_steps
from MedSegAI.Logic.standardise.step_checks import require_kind
from MedSegAI.Logic.volume import Modality, Unit
from Testing.Logic.standardise.phantoms import ct_array, ct_of, head_array, mr_of, volume_of

CT_STEPS = ("hounsfield", "hu-offset", "ct-clip", "window")
MR_STEPS = ("n4", "nyul", "histogram-match", "z-score", "percentile")
FROM_OTHER_SCANS = {
    "nyul": {"percentiles": [1, 50, 99], "landmarks": [0, 40, 100]},
    "histogram-match": {"quantiles": [0, 10, 30, 90]},
}


def step_of(kind: str):
    return step_from_plain(kind, FROM_OTHER_SCANS.get(kind, {}))


@pytest.mark.parametrize("kind", CT_STEPS + MR_STEPS)
def test_the_catalogue_has_the_step_under_its_own_key(kind):
    assert step_kinds()[kind].kind == kind
    assert step_kinds()[kind].title


@pytest.mark.parametrize("kind", CT_STEPS + MR_STEPS)
def test_settings_are_json_values_that_make_the_same_step_again(kind):
    step = step_of(kind)
    assert step_from_plain(kind, step.to_plain()) == step


@pytest.mark.parametrize("kind", MR_STEPS)
def test_an_mr_step_refuses_a_ct_and_says_so(kind):
    with pytest.raises(InputError, match=r"'body' is a CT scan, and .* is meant for an MR scan"):
        step_of(kind).apply(ct_of(ct_array()), reporter=SilentReporter())


@pytest.mark.parametrize("kind", CT_STEPS)
def test_a_ct_step_refuses_an_mr(kind):
    with pytest.raises(InputError, match=r"is an MR scan, and .* is meant for a CT scan"):
        step_of(kind).apply(mr_of(head_array()), reporter=SilentReporter())


def test_a_unit_tells_the_kind_of_scan_where_nothing_else_does():
    hounsfield = volume_of(ct_array(), unit=Unit.HOUNSFIELD)
    with pytest.raises(InputError, match="is a CT scan"):
        require_kind(hounsfield, N4())
    with pytest.raises(InputError, match="is a PET scan"):
        require_kind(volume_of(ct_array(), unit=Unit.SUV_BODY_WEIGHT), N4())
    require_kind(volume_of(ct_array()), N4())


@pytest.mark.parametrize("kind", CT_STEPS + MR_STEPS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_every_step_refuses_voxels_that_are_not_numbers(kind, bad):
    array = ct_array().astype(np.float32)
    array[3, 4, 5] = bad
    volume = volume_of(array, modality=step_kinds()[kind].modalities[0])
    with pytest.raises(InputError, match="not numbers"):
        step_of(kind).apply(volume, reporter=SilentReporter())


@pytest.mark.parametrize("kind", CT_STEPS + MR_STEPS)
def test_every_step_refuses_a_constant_scan(kind):
    volume = volume_of(np.full((4, 5, 6), 7, np.int16), modality=step_kinds()[kind].modalities[0])
    with pytest.raises(InputError, match="same value, 7"):
        step_of(kind).apply(volume, reporter=SilentReporter())


@pytest.mark.parametrize("kind", CT_STEPS)
def test_a_ct_step_leaves_its_input_and_the_earlier_records_alone(kind):
    volume = ct_of(ct_array(3.0))
    before = volume.array.copy()
    first = step_of("hounsfield").apply(volume, reporter=SilentReporter()).volume
    done = step_of(kind).apply(first, reporter=SilentReporter())
    assert np.array_equal(volume.array, before)
    assert [record.step for record in done.volume.steps] == ["hounsfield", kind]
    assert done.record.sentence.endswith((".", ")"))


@pytest.mark.parametrize("kind", MR_STEPS)
def test_an_mr_step_leaves_its_input_alone_and_can_be_undone(kind):
    volume = mr_of(head_array())
    before = volume.array.copy()
    done = step_of(kind).apply(volume, reporter=SilentReporter())
    assert np.array_equal(volume.array, before)
    assert done.volume.array.dtype == np.float32
    assert np.abs(done.volume.array - before).max() > 1
    assert np.allclose(done.undo(done.volume.array), before, atol=1e-4 * before.max())


def test_several_steps_in_turn_can_be_undone_together():
    volume = mr_of(head_array())
    steps = (step_from_text("n4:iterations=5"), step_from_text("z-score"))
    done = apply_steps(volume, steps, reporter=SilentReporter())
    assert list(done.extras) == ["log_bias_field"]
    assert np.allclose(done.undo(done.volume.array), volume.array, atol=0.01)


def test_steps_that_need_another_scan_say_so():
    with pytest.raises(InputError, match="needs landmarks"):
        step_from_text("nyul")
    with pytest.raises(InputError, match="needs the quantiles of a reference"):
        step_from_text("histogram-match")


def test_steps_of_another_scan_keep_its_values_in_the_record():
    reference = mr_of(head_array() * 2)
    done = HistogramMatch.to_reference(reference).apply(mr_of(head_array()), reporter=SilentReporter())
    assert step_from_plain("histogram-match", done.record.settings) == HistogramMatch.to_reference(reference)
    learned = Nyul.trained_on([reference])
    done = learned.apply(mr_of(head_array()), reporter=SilentReporter())
    assert step_from_plain("nyul", done.record.settings) == learned


def test_frame_modality_and_acquisition_survive():
    from dataclasses import replace

    volume = replace(mr_of(head_array()), frame_of_reference="1.2.3", acquisition={"EchoTime": 3.0})
    done = step_of("z-score").apply(volume, reporter=SilentReporter()).volume
    assert (done.frame_of_reference, done.acquisition, done.modality) == ("1.2.3", {"EchoTime": 3.0}, Modality.MR)


@pytest.mark.parametrize(
    "text",
    [
        "ct-clip:low=abc",
        "window:level=None",
        "hu-offset:largest=True",
        "n4:shrink=2.5",
        "z-score:trim=a",
        "percentile:low=x",
    ],
)
def test_a_word_where_a_number_is_wanted_is_refused_with_the_settings_name(text):
    name = text.partition(":")[2].partition("=")[0]
    with pytest.raises(InputError, match=f"'{name}' is .* must be a "):
        step_from_text(text)
