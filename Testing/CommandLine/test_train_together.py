"""``medsegai train`` in two processes: the run of one, told by one, stopped together, and outliving a kill."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch
import yaml

from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training.checkpoint import load_checkpoint
from MedSegAI.Logic.training.config import config_from_mapping
from MedSegAI.Logic.training.trainer import train
from Testing.few_crops import few_crops
from Testing.Logic.training.distributed.together import ending_of, run_together, started_together

PROGRAM = "MedSegAI.CommandLine"
WHERE_OTHERS_COMPARE = ("steps", "train_loss", "dice_anterior", "dice_posterior", "dice_mean")


@pytest.fixture
def fields() -> dict:
    """Two samples a step, one for each of two processes; stochastic depth is on. An epoch is a step."""
    return {
        "name": "tiny",
        "data": {"labels": {1: "anterior", 2: "posterior"}},
        "network": {
            "arguments": {
                "in_channels": 1,
                "out_channels": 3,
                "feature_size": 12,
                "window_size": 4,
                "dropout_path_rate": 0.3,
            }
        },
        "patch_size": [32, 64, 32],
        "batch_size": 2,
        "total_steps": 3,
        "precision": "fp32",
        "device": "cpu",
        "keeping": {"worst_cases": 0},
        "validation": {"every_epochs": 3},
        "distributed": {"timeout_seconds": 60},
    }


@pytest.fixture
def config(fields: dict, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(fields))
    return path


@pytest.fixture
def crops(hippocampus_folder: Path, tmp_path: Path) -> Path:
    """Two real crops to learn from and three to validate on: one process gets two of these, the other one."""
    return few_crops(hippocampus_folder, tmp_path / "crops", train=2, val=3)


def rows_of(run: Path) -> list[dict[str, str]]:
    with (run / "epochs.csv").open(newline="") as table:
        return [{name: row[name] for name in WHERE_OTHERS_COMPARE} for row in csv.DictReader(table)]


def test_two_processes_of_which_one_is_killed_end_as_one_that_took_the_same_two_parts(fields, config, crops, tmp_path):
    alone = fields | {"distributed": {"accumulate": 2}}
    train(config_from_mapping(alone), data=crops, output=tmp_path / "alone", reporter=SilentReporter())
    run = tmp_path / "together"
    said = "".join(lines_of_a_run_with_a_kill(config, crops, run))
    assert "Another process of this training ended or no longer answers." in said
    assert "Going on from step " in said
    assert said.count("Trained 3 steps") == 1, said
    assert rows_of(run) == rows_of(tmp_path / "alone")
    one, other = (load_checkpoint(folder / "last.pt") for folder in (run, tmp_path / "alone"))
    for name in one.network:
        torch.testing.assert_close(one.network[name], other.network[name], rtol=0, atol=5e-6)
        torch.testing.assert_close(one.average[name], other.average[name], rtol=0, atol=5e-6)


def lines_of_a_run_with_a_kill(config: Path, crops: Path, run: Path) -> Iterator[str]:
    """What torchrun shows, while its second process is killed after the first epoch."""
    torchrun = subprocess.Popen(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "--max-restarts=1"),
            *("-m", PROGRAM, "train", str(config), "--data", str(crops), "-o", str(run)),
        ],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    killed = False
    for line in torchrun.stdout:
        yield line
        if line.startswith("Epoch 1,") and not killed:
            killed = True
            for worker in psutil.Process(torchrun.pid).children():
                if worker.environ().get("RANK") == "1":
                    worker.kill()
    assert torchrun.wait(timeout=60) == 0


def test_what_cannot_be_divided_is_told_by_one_process(config, crops, tmp_path):
    endings = run_together(
        *(PROGRAM, "train", config, "--data", crops, "-o", tmp_path / "run", "--json"),
        *("--set", "batch_size=3"),
        count=2,
    )
    assert [ending.code for ending in endings] == [2, 2]
    (told,) = [ending.found["error"] for ending in endings if ending.found]
    assert told["problem"].startswith("A batch of 3 (batch_size, over all processes) cannot be divided")
    assert "Traceback" not in "".join(ending.said for ending in endings)


def test_ctrl_c_stops_all_after_the_same_step_which_is_kept(config, crops, tmp_path):
    run = tmp_path / "run"
    command = (PROGRAM, "train", config, "--data", crops, "-o", run, "--json", "--set", "total_steps=500")
    with started_together(*command, count=2) as processes:
        for line in processes[0].stderr:
            if "progress" in json.loads(line):
                break
        for process in processes:
            process.send_signal(signal.SIGINT)
        endings = [ending_of(process, timeout=60) for process in processes]
    assert [ending.code for ending in endings] == [130, 130], endings
    (told,) = [ending.found["error"] for ending in endings if ending.found]
    assert told["advice"] == f"Go on later with --resume -o {run}."
    assert 1 <= load_checkpoint(run / "last.pt").progress.step < 500
