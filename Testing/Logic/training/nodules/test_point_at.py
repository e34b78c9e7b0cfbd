from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.training.nodules.case import NoduleCase
from MedSegAI.Logic.training.nodules.config import NoduleDataConfig
from MedSegAI.Logic.training.nodules.point_at import segment_at
from MedSegAI.Logic.training.nodules.validation_set import NoduleValidationSet
from MedSegAI.Logic.training.training_set import ShowsCases
from Testing.Logic.training.nodules.conftest import nodule_case

RULE = Normalisation("range", clip_values=(-1000.0, 400.0))


class Bright(nn.Module):
    """Says nodule where a voxel is bright."""

    def forward(self, volume: Tensor) -> Tensor:
        return torch.cat([torch.full_like(volume, 0.4), volume], dim=1)


def pointed(case: NoduleCase, click: tuple[float, float, float]) -> np.ndarray:
    return segment_at(Bright(), case, np.array(click), window=(64, 64, 64), normalisation=RULE)


def test_the_nodule_comes_back_voxel_by_voxel_on_the_case_wherever_the_click_was() -> None:
    case = nodule_case()
    for click in [(20.0, 20.0, 20.0), (16.2, 23.7, 20.4), (0.0, 39.0, 20.0)]:
        if click[0] > 0:
            assert dice(pointed(case, click), case.readers[1]) == 1.0


def test_of_two_nodules_the_one_that_was_clicked_counts() -> None:
    case = nodule_case()
    case.hu[2:5, 2:5, 2:5] = 0.0
    assert pointed(case, (20.0, 20.0, 20.0)).sum() == case.readers[1].sum()
    assert pointed(case, (3.0, 3.0, 3.0)).sum() == 27


def test_a_click_far_from_anything_finds_nothing() -> None:
    case = nodule_case(shape=(60, 60, 60), centre=(10.0, 10.0, 10.0))
    assert not pointed(case, (45.0, 45.0, 45.0)).any()


def test_a_window_larger_than_the_case_and_off_its_edge_still_finds_all_of_the_nodule() -> None:
    case = nodule_case(shape=(9, 70, 70), centre=(4.0, 60.0, 60.0), radii=(6.0, 6.0, 6.0))
    assert dice(pointed(case, (4.0, 63.0, 60.0)), case.readers[1]) == 1.0


def test_a_validation_set_scores_the_same_click_each_time_and_shows_what_it_scored() -> None:
    cases = [nodule_case(), nodule_case(centre=(15.0, 22.0, 20.0))]
    watched = NoduleValidationSet(cases, NoduleDataConfig(), window=(64, 64, 64))
    first, again = (watched.score(Bright(), [0, 1]) for _ in range(2))
    assert first == again == [{"nodule": 1.0}, {"nodule": 1.0}]
    shown = watched.show(Bright(), 1)
    assert isinstance(watched, ShowsCases) and len(watched.names) == 2
    assert np.array_equal(shown.predicted, shown.reference) and shown.image.max() < 1.0


def test_a_network_on_a_graphics_card_would_be_given_its_windows_there() -> None:
    seen = []
    network = Bright()
    network.register_parameter("here", nn.Parameter(torch.zeros(1)))
    network.register_forward_pre_hook(lambda _module, given: seen.append(given[0].device))
    segment_at(network, nodule_case(), np.array([20.0, 20, 20]), window=(64, 64, 64), normalisation=RULE)
    assert seen == [network.here.device]
