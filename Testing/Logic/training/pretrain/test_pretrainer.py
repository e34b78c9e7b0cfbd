"""A stopped run ends as an uninterrupted one, and a training starts from what it leaves."""

from __future__ import annotations

import csv
import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file

from MedSegAI.Logic.errors import Cancelled, InputError, StorageError
from MedSegAI.Logic.models.weights import build_network
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training.config import OptimiserConfig
from MedSegAI.Logic.training.initial_weights import load_fitting_weights
from MedSegAI.Logic.training.pretrain import checkpoint as checkpoints
from MedSegAI.Logic.training.pretrain.checkpoint import read_history
from MedSegAI.Logic.training.pretrain.config import TasksConfig
from MedSegAI.Logic.training.pretrain.order import Order
from MedSegAI.Logic.training.pretrain.pretrainer import STATE_NAME, TABLE_NAME, WEIGHTS_NAME, pretrain
from Testing.stops_after import StopsAfter


@pytest.fixture
def scans(write_scan):
    for number in range(3):
        path = write_scan(f"{number}.nii.gz", seed=number)
    return path.parent


def rows_of(table) -> list[dict[str, str]]:
    with table.open(newline="") as handle:
        return list(csv.DictReader(handle))


def assert_equal_weights(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for key in one:
        assert torch.equal(one[key], other[key]), key


def test_a_stopped_run_ends_with_the_weights_of_an_uninterrupted_one(a_config, scans, tmp_path):
    whole = pretrain(a_config, data=scans, output=tmp_path / "whole", reporter=SilentReporter())
    with pytest.raises(Cancelled):
        pretrain(a_config, data=scans, output=tmp_path / "parts", reporter=StopsAfter(steps=3))
    reporter = SilentReporter()
    parts = pretrain(a_config, data=scans, output=tmp_path / "parts", reporter=reporter)
    assert reporter.messages[0] == "Going on from step 2 of 4 steps."
    assert_equal_weights(load_file(whole.weights), load_file(parts.weights))
    states = [torch.load(path.parent / STATE_NAME, weights_only=True) for path in (whole.weights, parts.weights)]
    assert_equal_weights(*(state["network_with_heads"] for state in states))
    for name in ("steps", "loss", "reconstruction", "rotation", "learning_rate", "turns_right"):
        assert [row[name] for row in rows_of(whole.table)] == [row[name] for row in rows_of(parts.table)]
    assert [row["steps"] for row in read_history(tmp_path / "parts" / STATE_NAME)] == [2, 4]


def test_all_tasks_through_the_decoder_leave_weights_that_a_training_starts_from(a_config, scans, tmp_path):
    config = dataclasses.replace(
        a_config, tasks=TasksConfig(), batch_size=2, reconstruct_through="decoder", total_steps=1, checkpoint_steps=1
    )
    summary = pretrain(config, data=scans, output=tmp_path / "run", reporter=SilentReporter())
    row = rows_of(summary.table)[0]
    assert float(row["loss"]) == pytest.approx(
        sum(float(row[name]) for name in ("reconstruction", "rotation", "contrastive")), abs=1e-4
    )
    network = build_network("SwinUNETR", config.network.arguments)
    sentence = load_fitting_weights(network, summary.weights)
    assert sentence.endswith("157 of 159 tensors fit. Random at the start: out.")
    assert torch.equal(
        network.state_dict()["decoder1.conv_block.conv1.conv.weight"],
        load_file(summary.weights)["decoder1.conv_block.conv1.conv.weight"],
    )


def test_scans_that_were_left_out_are_named_once_and_counted(a_config, scans, tmp_path):
    (scans / "torn.nii.gz").write_bytes(b"\x1f\x8b torn")
    reporter = SilentReporter()
    summary = pretrain(a_config, data=scans, output=tmp_path / "run", reporter=reporter)
    assert [path.name for path in summary.left_out] == ["torn.nii.gz"]
    assert sum("Left out: " in text and "torn.nii.gz" in text for text in reporter.messages) == 1
    assert rows_of(summary.table)[-1]["scans_left_out"] == "1"
    assert summary.scans == 4


def test_not_every_broken_scan_of_many_is_named(a_config, scans, tmp_path):
    for scan in (scans / "1.nii.gz", scans / "2.nii.gz"):
        scan.unlink()
    for number in range(100):
        (scans / f"torn{number}.nii.gz").write_bytes(b"torn")
    # In the order of this seed the good scan, which is the first by name, comes late.
    seed = next(seed for seed in range(100) if list(Order(101, seed).candidates(0)).index(0) > 30)
    config = dataclasses.replace(a_config, seed=seed, total_steps=1)
    reporter = SilentReporter()
    summary = pretrain(config, data=scans, output=tmp_path / "run", reporter=reporter)
    assert len(summary.left_out) > 20
    assert sum(text.startswith("Left out: ") for text in reporter.messages) == 20
    assert sum(text.startswith("More scans are left out") for text in reporter.messages) == 1


def test_only_the_scans_of_the_split_are_looked_at(a_config, scans, tmp_path):
    (scans / "2.nii.gz").write_bytes(b"never read")
    (scans.parent / "split.json").write_text(json.dumps({"train": ["0", "1"], "val": ["2"]}))
    data = dataclasses.replace(a_config.data, split_file="../split.json")
    config = dataclasses.replace(a_config, data=data, total_steps=2)
    linked = tmp_path / "elsewhere" / "images"
    linked.parent.mkdir()
    linked.symlink_to(scans)
    (linked.parent / "split.json").write_text(json.dumps({"train": ["1"]}))
    assert pretrain(config, data=scans, output=tmp_path / "run", reporter=SilentReporter()).scans == 2
    assert pretrain(config, data=linked, output=tmp_path / "other", reporter=SilentReporter()).scans == 1


def test_a_run_ends_with_its_processor_time(a_config, scans, tmp_path):
    config = dataclasses.replace(a_config, total_steps=None, cpu_minutes=0.005)
    summary = pretrain(config, data=scans, output=tmp_path / "run", reporter=SilentReporter())
    assert 1 <= summary.steps < 20
    assert summary.cpu_seconds >= 0.3
    assert float(rows_of(summary.table)[-1]["cpu_seconds"]) == pytest.approx(summary.cpu_seconds, abs=0.1)


def test_a_run_of_another_configuration_is_not_continued(a_config, scans, tmp_path):
    short = dataclasses.replace(a_config, total_steps=1)
    pretrain(short, data=scans, output=tmp_path / "run", reporter=SilentReporter())
    other = dataclasses.replace(short, seed=7, optimiser=OptimiserConfig(learning_rate=0.5))
    with pytest.raises(InputError, match=r"another configuration \(seed, optimiser\)"):
        pretrain(other, data=scans, output=tmp_path / "run", reporter=SilentReporter())


@pytest.mark.parametrize("content", [b"torn", None])
def test_a_state_that_is_none_is_refused_with_a_sentence(a_config, scans, tmp_path, content):
    if content is None:
        torch.save({"network": {}}, tmp_path / STATE_NAME)
    else:
        (tmp_path / STATE_NAME).write_bytes(content)
    with pytest.raises(InputError, match=r"is not the state of a pretraining run\. Remove it"):
        pretrain(a_config, data=scans, output=tmp_path, reporter=SilentReporter())


def test_a_kill_while_writing_leaves_the_old_state_and_weights(a_config, scans, tmp_path, monkeypatch):
    short, run = dataclasses.replace(a_config, total_steps=1), tmp_path / "run"
    pretrain(short, data=scans, output=run, reporter=SilentReporter())
    before = (run / STATE_NAME).read_bytes()

    def half_a_file(content, path):
        path.write_bytes(before[:1000])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.torch, "save", half_a_file)
    with pytest.raises(StorageError, match="the disk is full"):
        pretrain(a_config, data=scans, output=run, reporter=SilentReporter())
    assert (run / STATE_NAME).read_bytes() == before
    assert {path.name for path in run.iterdir() if path.name[0] != "."} == {STATE_NAME, WEIGHTS_NAME, TABLE_NAME}


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(a_config, scans, tmp_path):
    wild = dataclasses.replace(a_config, optimiser=OptimiserConfig(learning_rate=1e30, warm_up_steps=0))
    with pytest.raises(InputError, match=r"The loss is no longer a number at step 2.*Lower optimiser.learning_rate"):
        pretrain(wild, data=scans, output=tmp_path / "run", reporter=SilentReporter())


def test_a_run_leaves_torch_with_the_threads_it_had(a_config, scans, tmp_path):
    before = torch.get_num_threads()
    with pytest.raises(Cancelled):
        config = dataclasses.replace(a_config, threads=before + 1)
        pretrain(config, data=scans, output=tmp_path / "run", reporter=StopsAfter(steps=1))
    assert torch.get_num_threads() == before
