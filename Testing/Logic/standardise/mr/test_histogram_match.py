from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.mr.foreground import foreground_mask
from MedSegAI.Logic.standardise.mr.histogram_match import HistogramMatch
from Testing.Logic.standardise.phantoms import ct_array, ct_of, head_array, mr_of

RANKS = np.arange(5, 100, 5)


def applied(step, volume):
    return step.apply(volume, reporter=SilentReporter())


def test_a_scan_matched_to_itself_stays_as_it_is():
    head = mr_of(head_array())
    done = applied(HistogramMatch.to_reference(head), head)
    assert np.allclose(done.volume.array, head.array, atol=0.01)


@pytest.mark.parametrize(("factor", "offset"), [(3.0, 0.0), (0.01, 0.0), (1000.0, -200.0)])
def test_a_change_of_scale_is_taken_back_exactly(factor, offset):
    head = head_array()
    done = applied(HistogramMatch.to_reference(mr_of(head)), mr_of(head * factor + offset))
    assert np.allclose(done.volume.array, head, atol=0.05)


def test_the_foregrounds_quantiles_become_the_references_whatever_the_background():
    reference, scan = head_array(), np.pad((head_array() / 400) ** 1.3 * 77, 8)
    done = applied(HistogramMatch.to_reference(mr_of(reference)), mr_of(scan))
    inside = foreground_mask(scan, "auto", name="scan")
    wanted = np.percentile(reference[foreground_mask(reference, "auto", name="reference")], RANKS)
    assert np.percentile(done.volume.array[inside], RANKS) == pytest.approx(wanted, rel=0.01)
    assert done.record.figures["median_after"] == pytest.approx(np.median(reference[reference > 100]), rel=0.01)


def test_a_background_becomes_the_references_background():
    reference, scan = head_array(noise=0) + 5, (head_array(noise=0) / 400) ** 1.3 * 77
    done = applied(HistogramMatch.to_reference(mr_of(reference)), mr_of(scan))
    assert np.allclose(done.volume.array[scan == 0], 5, atol=1e-4)
    assert np.allclose(done.undo(done.volume.array), scan, atol=1e-3)


def test_it_can_be_undone_also_with_few_grey_values():
    scan = (head_array() / 40).astype(np.uint8)
    done = applied(HistogramMatch.to_reference(mr_of(head_array())), mr_of(scan))
    assert np.allclose(done.undo(done.volume.array), scan, atol=1e-3)


def test_it_agrees_with_simpleitk_on_real_crops(hippocampus_crops):
    """Both go through quantiles of all voxels; ITK's histogram has bins, hence the tolerance."""
    reference, *others = [read_volume(crop.image) for crop in hippocampus_crops]
    step = HistogramMatch.to_reference(reference, foreground="all")
    target = sitk.Cast(reference.to_sitk(), sitk.sitkFloat32)
    for volume in others:
        ours = applied(step, volume).volume.array
        theirs = sitk.GetArrayFromImage(
            sitk.HistogramMatching(sitk.Cast(volume.to_sitk(), sitk.sitkFloat32), target, 1024, 63, False)
        )
        low, high = np.percentile(theirs, (2, 98))
        middle = (theirs > low) & (theirs < high)
        assert np.abs(ours - theirs)[middle].mean() < 0.01 * (high - low)


def test_a_reference_of_one_value_is_refused():
    flat = np.zeros((10, 10, 10))
    flat[0, 0, 0] = 1
    with pytest.raises(InputError, match="one value only"):
        HistogramMatch.to_reference(mr_of(flat), foreground="positive")
    with pytest.raises(InputError, match="one value only, 1"):
        applied(HistogramMatch((0, 1, 2), "positive"), mr_of(flat))


@pytest.mark.parametrize("quantiles", [(1,), (3, 2, 1), (1, 1, 1), (0, np.nan)])
def test_quantiles_that_do_not_rise_are_refused(quantiles):
    with pytest.raises(ValueError, match="quantiles"):
        HistogramMatch(quantiles)


def test_a_background_is_a_number():
    with pytest.raises(ValueError, match="must be a number"):
        HistogramMatch((0, 1), background=np.nan)


def test_a_ct_is_no_reference_for_an_mr():
    with pytest.raises(InputError, match=r"is a CT scan, .* meant for an MR scan"):
        HistogramMatch.to_reference(ct_of(ct_array()))
