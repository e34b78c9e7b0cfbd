from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.geometry import Grid, swap_lps_and_ras
from MedSegAI.Logic.inference.engines.open import open_torch_engine
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import DeviceChoice, RunSettings
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.training.nodules.case import NoduleCase
from MedSegAI.Logic.training.nodules.config import NoduleDataConfig
from MedSegAI.Logic.training.nodules.point_at import segment_at
from MedSegAI.Logic.training.nodules.validation_set import NoduleValidationSet
from MedSegAI.Logic.training.training_set import ShowsCases
from MedSegAI.Logic.volume import Modality, Unit, Volume
from Testing.Logic.training.nodules.conftest import nodule_case

RULE = Normalisation("range", clip_values=(-1000.0, 400.0))


class Bright(nn.Module):
    """Says nodule where a voxel is bright."""

    def forward(self, volume: Tensor) -> Tensor:
        return torch.cat([torch.full_like(volume, 0.4), volume], dim=1)


def a_dented_nodule() -> NoduleCase:
    """A nodule with all of a window known around it and no axis along which it could be mirrored, in noisy lung."""
    case = nodule_case(shape=(96, 96, 96), centre=(48.0, 48.0, 48.0), radii=(7.0, 7.0, 7.0))
    case.hu[50:53, 43:49, 38:46] = 30.0
    case.hu[44:47, 50:56, 50:55] = -850.0
    case.hu[...] += np.random.default_rng(0).normal(0, 30, case.hu.shape)
    return case


def pointed(case: NoduleCase, click: tuple[float, float, float]) -> np.ndarray:
    return segment_at(Bright(), case, np.array(click), window=(64, 64, 64), normalisation=RULE)


def test_the_nodule_comes_back_voxel_by_voxel_where_the_window_lies_on_the_voxels_of_the_case() -> None:
    case = nodule_case()
    for click in [(19.5, 20.5, 20.5), (16.5, 23.5, 20.5)]:
        assert dice(pointed(case, click), case.readers[1]) == 1.0


def test_the_nodule_comes_back_at_its_place_wherever_the_click_was() -> None:
    case = nodule_case()
    for click in [(20.0, 20.0, 20.0), (16.2, 23.7, 20.4)]:
        found = pointed(case, click)
        assert dice(found, case.readers[1]) > 0.97
        np.testing.assert_allclose(np.argwhere(found).mean(axis=0), case.centre, atol=0.05)


@pytest.mark.parametrize("click", [(48.0, 48.0, 48.0), (45.3, 50.8, 46.5)])
def test_both_apps_give_the_same_voxels_for_the_same_click(click: tuple[float, float, float]) -> None:
    case, model = a_dented_nodule(), find_model("lung-nodule-ct")
    grid = Grid(case.hu.shape, (1.0, 1.0, 1.0), (-30.0, 12.0, 7.0), tuple(np.eye(3).ravel()))
    scan = Volume(case.hu, grid, modality=Modality.CT, unit=Unit.HOUNSFIELD)
    settings = RunSettings(points=(tuple(swap_lps_and_ras(grid.lps_of(np.array(click)))),), device="cpu")
    engine = open_torch_engine(model, device=DeviceChoice.CPU, reporter=SilentReporter())
    of_the_app = segment(scan, model, settings=settings, reporter=SilentReporter(), engine=engine).labels.array
    rule = model.card.inputs[0].normalisation
    found = segment_at(load_network(model), case, np.array(click), window=model.card.window, normalisation=rule)
    assert found.sum() > 500
    np.testing.assert_array_equal(found, of_the_app)


def test_of_two_nodules_the_one_that_was_clicked_counts() -> None:
    case = nodule_case()
    case.hu[2:5, 2:5, 2:5] = 0.0
    assert pointed(case, (20.5, 20.5, 20.5)).sum() == case.readers[1].sum()
    assert pointed(case, (3.5, 3.5, 3.5)).sum() == 27


def test_a_click_far_from_anything_finds_nothing() -> None:
    case = nodule_case(shape=(60, 60, 60), centre=(10.0, 10.0, 10.0))
    assert not pointed(case, (45.0, 45.0, 45.0)).any()


def test_a_window_larger_than_the_case_and_off_its_edge_still_finds_all_of_the_nodule() -> None:
    case = nodule_case(shape=(9, 70, 70), centre=(4.0, 60.0, 60.0), radii=(6.0, 6.0, 6.0))
    assert dice(pointed(case, (4.5, 63.5, 60.5)), case.readers[1]) == 1.0


def test_a_validation_set_scores_the_same_click_each_time_and_shows_what_it_scored() -> None:
    cases = [nodule_case(), nodule_case(centre=(15.0, 22.0, 20.0))]
    watched = NoduleValidationSet(cases, NoduleDataConfig(), window=(64, 64, 64))
    first, again = (watched.score(Bright(), [0, 1]) for _ in range(2))
    assert first == again and all(scores["nodule"] > 0.97 for scores in first)
    shown = watched.show(Bright(), 1)
    assert isinstance(watched, ShowsCases) and len(watched.names) == 2
    assert dice(shown.predicted, shown.reference) == first[1]["nodule"] and shown.image.max() < 1.0


def test_a_network_on_a_graphics_card_would_be_given_its_windows_there() -> None:
    seen = []
    network = Bright()
    network.register_parameter("here", nn.Parameter(torch.zeros(1)))
    network.register_forward_pre_hook(lambda _module, given: seen.append(given[0].device))
    segment_at(network, nodule_case(), np.array([20.0, 20, 20]), window=(64, 64, 64), normalisation=RULE)
    assert seen == [network.here.device]
