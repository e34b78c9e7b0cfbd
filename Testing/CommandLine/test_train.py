"""``medsegai train``: a run from one YAML file, changed with --set, resumed with --resume."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import yaml

from MedSegAI.CommandLine.run_options import with_changes
from MedSegAI.Logic.models.registry import read_model
from Testing.CommandLine.conftest import CARD_TEMPLATE, start_medsegai
from Testing.few_crops import few_crops

RUN_FILES = {"last.pt", "best.pt", "epochs.csv", "config.yaml", "report.html"}


@pytest.fixture
def dataset(hippocampus_folder: Path, tmp_path: Path) -> Path:
    """The real crops with a split of one case to train on and one to validate on."""
    return few_crops(hippocampus_folder, tmp_path / "crops", train=1, val=1)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    fields = {
        "name": "tiny",
        "data": {"labels": {1: "anterior", 2: "posterior"}},
        "network": {"arguments": {"in_channels": 1, "out_channels": 3, "feature_size": 12, "window_size": 4}},
        "patch_size": [32, 64, 32],
        "batch_size": 1,
        "total_steps": 1,
        "precision": "fp32",
        "validation": {"every_epochs": 1},
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(fields))
    return path


def test_a_run_is_trained_refused_a_second_time_and_resumed(medsegai, config, dataset, tmp_path):
    run = tmp_path / "run"
    shown = medsegai("train", config, "--data", dataset, "-o", run, "--json")
    assert shown.code == 0, shown.err
    facts = json.loads(shown.out)
    assert facts["steps"] == 1
    assert all(Path(facts[name]).is_file() for name in ("checkpoint", "best_checkpoint", "table", "report"))
    assert any("progress" in json.loads(line) for line in shown.err.splitlines())

    again = medsegai("train", config, "--data", dataset, "-o", run)
    assert again.code == 2
    assert "--resume" in again.err

    longer = medsegai("train", config, "--data", dataset, "-o", run, "--resume", "--set", "total_steps=2")
    assert longer.code == 0, longer.err
    assert "Trained 2 steps" in longer.out


def test_a_trained_run_becomes_a_model_with_the_averaged_weights(medsegai, config, dataset, tmp_path):
    import torch

    from MedSegAI.Logic.models.registry import read_model
    from MedSegAI.Logic.models.weights import load_network
    from MedSegAI.Logic.training.checkpoint import load_checkpoint

    shown = medsegai("train", config, "--data", dataset, "-o", tmp_path / "run", "--json")
    best = Path(json.loads(shown.out)["best_checkpoint"])
    card = json.loads(CARD_TEMPLATE.read_text())
    card["network_arguments"] = yaml.safe_load(config.read_text())["network"]["arguments"]
    (tmp_path / "card.json").write_text(json.dumps(card))
    shown = medsegai("models", "import", best, "--card", tmp_path / "card.json", "-o", tmp_path / "model")
    assert shown.code == 0, shown.err
    stored = load_network(read_model(tmp_path / "model")).state_dict()
    for key, value in load_checkpoint(best).average.items():
        torch.testing.assert_close(stored[key], value, rtol=1e-3, atol=1e-4)


def test_a_trained_run_is_packaged_as_a_measured_model(medsegai, config, dataset, tmp_path):
    run, model = tmp_path / "run", tmp_path / "model"
    assert medsegai("train", config, "--data", dataset, "-o", run).code == 0
    choices = tmp_path / "choices.json"
    choices.write_text('{"flips": "none"}')
    source = ("--card", CARD_TEMPLATE, "--dataset", dataset, "--split", dataset / "split.json")
    shown = medsegai("models", "package", run, *source, "--choices", choices, "-o", model)
    assert shown.code == 0, shown.err
    card = read_model(model).card
    assert card.training["choices"] == {"flips": "none"}
    assert card.accuracy["case_count"] == 1
    assert card.accuracy["command"].endswith("--dataset crops --split crops/split.json --subset val")
    assert medsegai("models", "verify", model).code == 0
    again = medsegai("models", "package", run, *source, "-o", model)
    assert (again.code, "exists already" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"--card": "absent.json"}, "cannot be read"),
        ({"--choices": "broken.json"}, "not valid JSON"),
        ({"--dataset": "nowhere"}, "is not a data folder"),
        ({}, "absent"),
    ],
)
def test_what_cannot_be_packaged_is_refused_and_nothing_is_written(medsegai, dataset, tmp_path, changes, sentence):
    (tmp_path / "broken.json").write_text("{")
    options = {"--card": CARD_TEMPLATE, "--dataset": dataset, "--split": dataset / "split.json"}
    options |= {name: tmp_path / file for name, file in changes.items()}
    arguments = [part for pair in options.items() for part in pair]
    shown = medsegai("models", "package", tmp_path / "absent", *arguments, "-o", tmp_path / "model")
    assert (shown.code, sentence in shown.err) == (2, True)
    assert not (tmp_path / "model").exists()


def test_a_run_stopped_by_ctrl_c_keeps_its_epochs_and_says_how_to_go_on(config, dataset, tmp_path):
    run = tmp_path / "run"
    command = start_medsegai(
        *("train", config, "--data", dataset, "-o", run, "--json"),
        *("--set", "total_steps=1000", "--set", "validation.every_epochs=1000"),
    )
    for line in command.stderr:
        if json.loads(line).get("progress", {}).get("done", 0) >= 2:
            break
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=60)
    assert command.returncode == 130, err
    assert json.loads(out)["error"]["advice"] == f"Go on later with --resume -o {run}."
    names = {path.name for path in run.iterdir()}
    assert {"last.pt", "config.yaml", "report.html"} <= names <= {*RUN_FILES, ".running"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("total_steps", "KEY=VALUE"),
        ("total_steps=many", "total_steps is 'many'"),
        ("optimiser.speed=2", "unknown field 'speed'"),
        ("engine.speed=2", "no table 'engine'"),
        ("name.first=2", "no table 'name'"),
        ("name=[", "no valid value"),
        ("patch_size.3=64", "'3' is no place in a list of 3. Count from 0 to 2"),
        ("patch_size.first=64", "'first' is no place in a list of 3"),
        ("patch_size=[32, 64]", "Give a list of 3 numbers"),
        ("optimizer.learning_rate=0.1", "no table 'optimizer'"),
        ("optimiser.learning_rat=0.1", "Did you mean 'learning_rate'?"),
    ],
)
def test_a_wrong_change_is_refused_before_the_first_step(medsegai, config, tmp_path, change, sentence):
    shown = medsegai("train", config, "-o", tmp_path / "run", "--set", change)
    assert shown.code == 2
    assert sentence in shown.err
    assert shown.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_run_that_never_began_cannot_be_resumed(medsegai, config, tmp_path):
    shown = medsegai("train", config, "-o", tmp_path / "run", "--resume")
    assert shown.code == 2
    assert "no run to go on with" in shown.err


def test_a_missing_configuration_is_refused(medsegai, tmp_path):
    shown = medsegai("train", tmp_path / "absent.yaml")
    assert shown.code == 2
    assert "cannot be read" in shown.err


def test_lists_labels_and_tables_that_are_absent_can_be_changed():
    fields = {
        "patch_size": [32, 64, 32],
        "data": {"labels": {1: "anterior", 2: "posterior"}},
        "network": {"arguments": {"feature_size": 12}},
        "distil": None,
    }
    changes = [
        *("patch_size.1=32", "data.labels.2=back", "network.arguments.feature_size=24", "network.arguments.depth=2"),
        *("distil.teachers=[a.pt, b.pt]", "distil.weight=0.7"),
    ]
    assert with_changes(fields, changes) == {
        "patch_size": [32, 32, 32],
        "data": {"labels": {1: "anterior", 2: "back"}},
        "network": {"arguments": {"feature_size": 24, "depth": 2}},
        "distil": {"teachers": ["a.pt", "b.pt"], "weight": 0.7},
    }
    assert with_changes(fields, ["patch_size=[64, 64, 64]"])["patch_size"] == [64, 64, 64]


def test_the_defaults_that_are_shown_can_be_trained_with_once_data_is_named(medsegai, tmp_path):
    shown = medsegai("train", "--defaults")
    assert shown.code == 0
    (tmp_path / "mine.yaml").write_text(shown.out)
    refused = medsegai("train", tmp_path / "mine.yaml", "--data", tmp_path)
    assert (refused.code, "is not a data folder" in refused.err) == (2, True)


def test_a_field_is_explained_in_words_and_for_machines(medsegai):
    assert "early_stopping.patience: 15   (whole number)" in medsegai("train", "--explain", "early_stopping").out
    facts = json.loads(medsegai("train", "--explain", "early_stopping", "--json").out)
    assert facts["early_stopping.patience"]["default"] == "15"
    assert "optimiser.learning_rate" not in facts
    assert "Did you mean 'optimiser'?" in medsegai("train", "--explain", "optimizer").err


def test_the_schema_is_shown_for_editors(medsegai):
    shown = medsegai("train", "--schema")
    assert json.loads(shown.out)["properties"]["precision"]["enum"][0] == "bf16-mixed"


def test_without_a_configuration_a_sentence_says_where_to_start(medsegai):
    shown = medsegai("train")
    assert (shown.code, "medsegai train --defaults" in shown.err) == (2, True)
