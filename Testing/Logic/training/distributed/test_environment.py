"""A process knows its place among the others from torchrun's variables, or says what is wrong with them."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.distributed.environment import Place, place_from

FROM_TORCHRUN = {
    "RANK": "5",
    "WORLD_SIZE": "16",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "node0",
    "MASTER_PORT": "29500",
    "TORCHELASTIC_RESTART_COUNT": "2",
}


def test_without_torchrun_a_process_is_alone():
    assert place_from({"HOME": "/home"}) == Place(rank=0, count=1, local_rank=0, restarts=0)
    assert place_from({}).is_alone


def test_the_place_is_what_torchrun_says():
    assert place_from(FROM_TORCHRUN) == Place(rank=5, count=16, local_rank=1, restarts=2)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"MASTER_ADDR": ""}, "RANK says that several processes train together, but MASTER_ADDR is not set"),
        ({"MASTER_ADDR": "", "LOCAL_RANK": ""}, "but LOCAL_RANK, MASTER_ADDR are not set"),
        ({"RANK": ""}, "WORLD_SIZE says that several processes train together, but RANK is not set"),
        ({"WORLD_SIZE": "many"}, "WORLD_SIZE is 'many', which is no whole number"),
        ({"MASTER_PORT": "-1"}, "MASTER_PORT is '-1', which is no whole number"),
        ({"RANK": "16"}, "RANK is 16, but WORLD_SIZE says that there are 16 processes"),
    ],
)
def test_variables_that_do_not_fit_are_told_with_the_way_to_start(changes, sentence):
    with pytest.raises(InputError, match=sentence) as told:
        place_from(FROM_TORCHRUN | changes)
    assert "torchrun --nproc_per_node" in told.value.advice


def test_copies_that_slurm_started_without_torchrun_are_refused():
    assert place_from({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}).is_alone
    with pytest.raises(InputError, match="copy 3 of several that SLURM started"):
        place_from({"SLURM_PROCID": "3", "SLURM_NTASKS": "4"})
