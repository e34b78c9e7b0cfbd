"""``medsegai pretrain``: scans without labels in, weights to start a training from out."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import yaml

from Testing.CommandLine.conftest import start_medsegai


@pytest.fixture
def scans(hippocampus_folder: Path, tmp_path: Path) -> Path:
    """Two real crops and a file that is none."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("hippocampus_001.nii.gz", "hippocampus_014.nii.gz"):
        (folder / name).symlink_to(hippocampus_folder / "imagesTr" / name)
    (folder / "torn.nii.gz").write_bytes(b"torn")
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    fields = {
        "name": "tiny",
        "network": {"arguments": {"in_channels": 1, "out_channels": 3, "feature_size": 12, "window_size": 4}},
        "patch_size": [32, 64, 32],
        "batch_size": 1,
        "total_steps": 2,
        "checkpoint_steps": 1,
        "reconstruct_through": "encoder",
        "tasks": {"contrastive": 0},
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(fields))
    return path


def test_a_run_is_pretrained_refused_a_second_time_and_resumed(medsegai, config, scans, tmp_path):
    run = tmp_path / "run"
    shown = medsegai("pretrain", config, "--data", scans, "-o", run, "--json")
    assert shown.code == 0, shown.err
    facts = json.loads(shown.out)
    assert (facts["steps"], facts["scans"]) == (2, 3)
    assert [Path(path).name for path in facts["left_out"]] == ["torn.nii.gz"]
    assert all(Path(facts[name]).is_file() for name in ("weights", "table"))
    assert any("progress" in json.loads(line) for line in shown.err.splitlines())

    again = medsegai("pretrain", config, "--data", scans, "-o", run)
    assert again.code == 2
    assert "--resume" in again.err

    longer = medsegai("pretrain", config, "--data", scans, "-o", run, "--resume", "--set", "total_steps=3")
    assert longer.code == 0, longer.err
    assert "Pretrained 3 steps on 3 scans" in longer.out
    assert f"--set initial_weights={run / 'pretrained.safetensors'}" in longer.out


def test_a_run_stopped_by_ctrl_c_keeps_its_checkpoints_and_says_how_to_go_on(config, scans, tmp_path):
    run = tmp_path / "run"
    command = start_medsegai("pretrain", config, "--data", scans, "-o", run, "--json", "--set", "total_steps=1000")
    for line in command.stderr:
        if json.loads(line).get("progress", {}).get("done", 0) >= 2:
            break
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=60)
    assert command.returncode == 130, err
    assert json.loads(out)["error"]["advice"] == f"Go on later with --resume -o {run}."
    assert {"pretraining.pt", "pretrained.safetensors", "pretraining.csv"} <= {path.name for path in run.iterdir()}


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [("absent", "There is no folder"), ("empty", "holds no scan"), ("broken", "None of the 1 scans can be used")],
)
def test_a_folder_without_a_usable_scan_is_refused(medsegai, config, tmp_path, folder, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "torn.nii.gz").write_bytes(b"torn")
    shown = medsegai("pretrain", config, "--data", tmp_path / folder, "-o", tmp_path / "run")
    assert (shown.code, sentence in shown.err) == (2, True), shown.err


def test_the_folder_of_the_labels_is_told_from_that_of_the_images(medsegai, config, hippocampus_folder, tmp_path):
    shown = medsegai("pretrain", config, "--data", hippocampus_folder / "labelsTr", "-o", tmp_path / "run")
    assert shown.code == 2
    assert "looks like a label map" in shown.err
    assert "Name the folder of the images" in shown.err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [("tasks.contrastive=1", "batch_size is 1"), ("tasks.speed=2", "unknown field 'speed'"), ("name", "KEY=VALUE")],
)
def test_a_wrong_change_is_refused_before_the_first_step(medsegai, config, tmp_path, change, sentence):
    shown = medsegai("pretrain", config, "-o", tmp_path / "run", "--set", change)
    assert shown.code == 2
    assert sentence in shown.err
    assert not (tmp_path / "run").exists()


def test_a_run_that_never_began_cannot_be_resumed(medsegai, config, tmp_path):
    shown = medsegai("pretrain", config, "-o", tmp_path / "run", "--resume")
    assert (shown.code, "no run to go on with" in shown.err) == (2, True)
