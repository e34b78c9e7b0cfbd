"""Agreement with a real fusion brings in its uncertainty and its own estimates of the raters."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.agreement.fused import agreement_with_fused, estimates_of
from MedSegAI.Logic.consensus.fuse import FuseSettings, Method, fuse


@pytest.fixture(params=list(Method), ids=[method.value for method in Method])
def fused(request, three_readers):
    return fuse(three_readers, method=request.param, settings=FuseSettings(margin_mm=5.0))


def test_the_fusion_s_estimates_stand_beside_what_was_measured_and_are_close_to_it(three_readers, fused):
    agreement = agreement_with_fused(three_readers, fused, case="42")
    for entry in agreement.labels:
        for rater in entry.raters:
            expected = estimates_of(fused)[rater.rater, entry.label.value]
            assert (rater.estimated_sensitivity, rater.estimated_specificity) == expected
            assert rater.estimated_sensitivity == pytest.approx(rater.sensitivity.value, abs=0.2)


def test_places_are_ordered_by_the_posterior_s_uncertainty(three_readers, fused):
    places = agreement_with_fused(three_readers, fused).places
    weights = [place.mean_entropy * place.voxels for place in places]
    assert weights == sorted(weights, reverse=True)
    box = places[0].box.slices
    assert fused.entropy()[box].max() >= places[0].mean_entropy


def test_another_threshold_compares_with_another_consensus(three_readers, fused):
    def volume_difference(threshold):
        agreement = agreement_with_fused(three_readers, fused, threshold=threshold)
        return agreement.labels[1].with_consensus[0].difference_ml

    assert volume_difference(0.1) <= volume_difference(None) <= volume_difference(0.9)
    assert volume_difference(0.1) < volume_difference(0.9)
