from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.mr.foreground import otsu_threshold
from MedSegAI.Logic.standardise.mr.n4 import LOG_FIELD, N4
from MedSegAI.Logic.standardise.mr.n4_field import chosen_shrink
from Testing.Logic.standardise.phantoms import ball, folded_head_array, head_array, mr_of, smooth_field


def applied(volume, **settings):
    return N4(**settings).apply(volume, reporter=SilentReporter())


@pytest.fixture(scope="module")
def corrected():
    """A head of two folded tissues under a known field, corrected."""
    head = folded_head_array((64, 80, 72))
    field = smooth_field(head.shape)
    return head, field, applied(mr_of(head * field))


def test_a_known_bias_field_is_found(corrected):
    head, field, done = corrected
    inside = ball(head.shape, 0.42)
    found = done.extras[LOG_FIELD].array[inside]
    known = np.log(field)[inside]
    assert np.corrcoef(found, known)[0, 1] > 0.999
    # N4 leaves the overall brightness open.
    left = (found - found.mean()) - (known - known.mean())
    assert np.abs(left).mean() < 0.08 * np.abs(known - known.mean()).mean()


def test_a_tissue_becomes_even(corrected):
    head, field, done = corrected
    tissue = head > 370

    def unevenness(array):
        return array[tissue].std() / array[tissue].mean()

    assert unevenness(head * field) > 0.1
    assert unevenness(done.volume.array) < 0.02


def test_multiplying_by_the_field_undoes_it(corrected):
    head, field, done = corrected
    assert np.allclose(done.undo(done.volume.array), head * field, rtol=1e-5)
    assert np.allclose(done.volume.array * np.exp(done.extras[LOG_FIELD].array), head * field, rtol=1e-5)


def test_the_field_lies_on_the_scans_grid_and_the_record_says_what_was_done(corrected):
    head, _, done = corrected
    extra = done.extras[LOG_FIELD]
    assert extra.grid == done.volume.grid and extra.array.shape == head.shape and extra.array.dtype == np.float32
    figures = done.record.figures
    assert figures["field_least"] == pytest.approx(np.exp(extra.array.min()))
    assert figures["field_greatest"] == pytest.approx(np.exp(extra.array.max()))
    assert "from one voxel in" in done.record.sentence


def test_it_is_simpleitks_n4_on_the_shrunk_real_head(data_folder):
    volume = read_volume(data_folder / "totalseg_ct" / "example_mr_sm.nii.gz")
    done = applied(volume, levels=2, iterations=10)
    shrink = chosen_shrink(volume.grid.shape, volume.grid.spacing)
    image = sitk.Cast(volume.to_sitk(), sitk.sitkFloat32)
    small = sitk.Shrink(image, shrink)
    filter_ = sitk.N4BiasFieldCorrectionImageFilter()
    filter_.SetMaximumNumberOfIterations([10, 10])
    filter_.Execute(small, small > otsu_threshold(volume.array))
    theirs = sitk.GetArrayFromImage(image / sitk.Exp(filter_.GetLogBiasFieldAsImage(image)))
    assert np.allclose(done.volume.array, theirs, rtol=1e-4, atol=1e-3)


def test_without_shrinking_every_voxel_is_looked_at():
    done = applied(mr_of(head_array((20, 24, 22))), shrink=1, levels=1, iterations=2, mask="positive")
    assert "from every voxel" in done.record.sentence


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"shrink": -1}, "'shrink' is -1"),
        ({"shrink": 2.5}, "'shrink' is 2.5"),
        ({"levels": 0}, "'levels'"),
        ({"iterations": 0}, "'iterations'"),
        ({"convergence": 0.0}, "'convergence'"),
        ({"mask": "brain"}, "'brain'"),
    ],
)
def test_settings_outside_of_their_range_are_refused(settings, problem):
    with pytest.raises(ValueError, match=problem):
        N4(**settings)
