"""Real processes on this computer, connected by gloo, do together what one does alone."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import torch

from MedSegAI.Logic.training.processes import OneProcess
from Testing.Logic.training.distributed.together import Ending, ending_of, run_together, start
from Testing.Logic.training.distributed.what_processes_exchange import exchange

PROGRAM = "Testing.Logic.training.distributed.what_processes_exchange"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a file called "there"."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "there").touch()
    return folder


@pytest.fixture(scope="module")
def two(folder) -> list[Ending]:
    """What two processes find."""
    return run_together(PROGRAM, folder, count=2)


@pytest.fixture(scope="module")
def alone(folder) -> dict:
    return exchange(OneProcess(), folder)


def test_all_goes_well(two):
    assert [ending.code for ending in two] == [0, 0], two
    assert [ending.found["writer"] for ending in two] == [True, False]


def test_each_process_takes_its_share_in_parts(two):
    assert [ending.found["places"] for ending in two] == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]


@pytest.mark.parametrize("which", ["gradient", "gradient in parts"])
def test_two_processes_have_the_gradient_that_one_has_of_the_whole_batch(two, alone, which):
    for ending in two:
        torch.testing.assert_close(ending.found[which], alone["gradient"], rtol=1e-9, atol=1e-12)


def test_values_are_averaged_and_said_by_any(two):
    for ending in two:
        assert ending.found["mean"] == [0.5, 5.0]
        assert ending.found["any"] == [True, False]


def test_spread_work_comes_back_in_order(two, alone):
    for ending in two:
        assert ending.found["spread"] == ["0 by 0", "1 by 1", "2 by 0", "3 by 1", "4 by 0"]
    assert alone["spread"] == [f"{index} by 0" for index in range(5)]


def test_what_the_writer_reads_or_refuses_all_know(two, alone):
    for found in (*(ending.found for ending in two), alone):
        assert found["from writer"] == "read by the writer"
        assert found["refused"] == "The writer found nothing. Look again."


def test_a_run_whose_checkpoint_only_another_computer_has_is_not_started_over(two, alone):
    for ending in two:
        *found, sentence = ending.found["started"]
        assert found == [False, True]
        assert "is on another computer than the one whose process writes now. Give an output folder" in sentence
    assert alone["started"] == [False, True]


def test_a_process_that_nobody_joins_gives_up_with_a_sentence(tmp_path):
    (ending,) = run_together(PROGRAM, tmp_path, "2", count=1, world_size=2)
    assert ending.code == 2
    assert ending.said.splitlines()[-1] == (
        "The 2 processes of this training did not come together within 2 s. Check that torchrun runs on every node "
        "with the same --nnodes and an address that all reach."
    )


def test_a_taken_port_is_told(tmp_path):
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
        ending = ending_of(start(PROGRAM, tmp_path, "2", world=world, rank=0), timeout=30)
    assert ending.code == 2
    assert ending.said.startswith(f"The port {port}, at which the processes of this training meet, is taken")
