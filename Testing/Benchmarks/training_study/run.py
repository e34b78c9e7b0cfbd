"""Train a recipe within its budget, measure it once on the validation cases, and leave a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from torch import nn

from MedSegAI.Logic.files.decathlon import read_case, read_split
from MedSegAI.Logic.inference.flip_averaging import AS_IT_IS, AveragedNetwork
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.models.weights import build_network, load_network, load_state
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.data import load_cases
from MedSegAI.Logic.training.trainer import CHECKPOINT_NAME, train
from MedSegAI.Logic.training.validation import predict_labels
from Testing.Benchmarks.training_study import networks
from Testing.Benchmarks.training_study.monai_recipe import predict_with_monai, run_monai
from Testing.Benchmarks.training_study.nnunet import NNUNET, run_nnunet
from Testing.Benchmarks.training_study.recipes import Recipe, config_of, read_recipes
from Testing.Benchmarks.training_study.results import Result, current_commit, score_cases, versions

OVERLAP = 0.5
AS_TRAINED, RAW, FLIPS = "as trained", "raw weights", "with flips"


def run_recipe(recipe: Recipe, data: Path, work: Path, *, cpu_minutes: float | None) -> Result:
    """Train and measure; a run that was killed goes on where it was.

    Args:
        recipe: What to train.
        data: The hippocampus folder.
        work: Folder of all runs of the study.
        cpu_minutes: Budget; None takes the recipe's own.
    """
    torch.set_num_threads(1)
    networks.make_known()
    budget = recipe.cpu_minutes if cpu_minutes is None else cpu_minutes
    run = {"ours": _ours, "monai": _monai, "nnunet": _nnunet, "shipped": _shipped, "ensemble": _ensemble}
    return run[recipe.trainer](recipe, data, work, budget)


def _ours(recipe: Recipe, data: Path, work: Path, budget: float | None) -> Result:
    config = config_of(recipe, work, cpu_minutes=budget)
    folder = work / recipe.name
    train(config, data=data, output=folder, reporter=SilentReporter())
    average, raw, progress = _trained(folder / CHECKPOINT_NAME, config)
    uses = {AS_TRAINED: average, RAW: raw, FLIPS: AveragedNetwork([average])}
    return _result(
        recipe,
        cpu_minutes=_cpu_minutes(progress),
        steps=progress["step"],
        parameters=_parameters(average),
        variants={name: _scores_of(network, config, data) for name, network in uses.items()},
    )


def _ensemble(recipe: Recipe, data: Path, work: Path, budget: float | None) -> Result:
    recipes = read_recipes()
    config = config_of(recipes["base"], work, cpu_minutes=1.0)
    trained = [_member(recipes[name], work) for name in recipe.members]
    members = [network for network, _ in trained]
    uses = {AS_TRAINED: AveragedNetwork(members, mirrorings=[AS_IT_IS]), FLIPS: AveragedNetwork(members)}
    return _result(
        recipe,
        cpu_minutes=sum(_cpu_minutes(progress) for _, progress in trained),
        steps=sum(progress.get("step", progress.get("steps")) for _, progress in trained),
        parameters=sum(_parameters(network) for network in members),
        variants={name: _scores_of(network, config, data) for name, network in uses.items()},
    )


def _member(recipe: Recipe, work: Path) -> tuple[nn.Module, Mapping[str, float]]:
    """The averaged network of a recipe that was run, or the shipped one, and how far it was trained."""
    if recipe.trainer == "shipped":
        model = find_model("hippocampus-mr")
        return load_network(model), model.card.training
    config = config_of(recipe, work, cpu_minutes=recipe.cpu_minutes)
    average, _, progress = _trained(work / recipe.name / CHECKPOINT_NAME, config)
    return average, progress


def _shipped(recipe: Recipe, data: Path, work: Path, budget: float | None) -> Result:
    model = find_model("hippocampus-mr")
    network = load_network(model)
    config = config_of(recipe, work, cpu_minutes=budget)
    uses = {AS_TRAINED: network, FLIPS: AveragedNetwork([network])}
    return _result(
        recipe,
        cpu_minutes=_cpu_minutes(model.card.training),
        steps=model.card.training["steps"],
        parameters=_parameters(network),
        variants={name: _scores_of(use, config, data) for name, use in uses.items()},
        remark=f"weights {model.card.weights_sha256[:8]}",
    )


def _monai(recipe: Recipe, data: Path, work: Path, budget: float | None) -> Result:
    run = run_monai(
        getattr(networks, recipe.network),
        data,
        work / recipe.name,
        cpu_minutes=budget,
        learning_rate=recipe.learning_rate,
    )
    return _result(
        recipe,
        cpu_minutes=run.cpu_seconds / 60,
        steps=run.steps,
        parameters=_parameters(run.network),
        variants={AS_TRAINED: score_cases(_references(data), lambda name: predict_with_monai(run.network, data, name))},
        remark="patch 32x64x32, batch 2",
    )


def _nnunet(recipe: Recipe, data: Path, work: Path, budget: float | None) -> Result:
    run = run_nnunet(data, work / recipe.name, cpu_minutes=budget)

    def predicted(name: str) -> np.ndarray:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(run.predictions / f"{name}.nii.gz")))

    references = [(name, _raw_labels(data, name)) for name in read_split(data / "split.json").val]
    return _result(
        recipe,
        cpu_minutes=run.cpu_seconds / 60,
        steps=run.steps,
        parameters=run.parameters,
        variants={AS_TRAINED: score_cases(references, predicted)},
        remark=f"{NNUNET.replace('==', ' ')}, {run.remark}, predicts with mirroring",
    )


def _result(recipe: Recipe, *, cpu_minutes: float, **facts: object) -> Result:
    known = versions("torch", "monai", "numpy")
    return Result(recipe.name, round(cpu_minutes, 2), versions=known, commit=current_commit(), **facts)


def _trained(path: Path, config: TrainingConfig) -> tuple[nn.Module, nn.Module, dict]:
    """The averaged network, the raw one and the progress that a checkpoint of our trainer holds."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    made = []
    for key in ("average", "network"):
        network = build_network(config.network.name, config.network.arguments)
        load_state(network, content[key], source=f"The weights in '{path}'")
        made.append(network.to(memory_format=torch.channels_last_3d).eval())
    return (*made, content["progress"])


def _cpu_minutes(progress: Mapping[str, float]) -> float:
    """Of a run; runs before processor time was counted had a core to themselves, so their time is taken."""
    return (progress.get("cpu_seconds") or progress["seconds"]) / 60


def _scores_of(network: nn.Module, config: TrainingConfig, data: Path) -> dict:
    """The 62 cases through the library's own windows, overlap 0.5, nothing mended afterwards."""
    cases = {case.name: case for case in load_cases(data, read_split(data / "split.json").val, config.data)}
    references = [(name, case.label) for name, case in cases.items()]

    def predicted(name: str) -> np.ndarray:
        return predict_labels(network.eval(), cases[name].image, window=config.patch_size, overlap=OVERLAP)

    return score_cases(references, predicted)


def _references(data: Path) -> Sequence[tuple[str, np.ndarray]]:
    names = read_split(data / "split.json").val
    return [(name, np.asarray(read_case(data, name)[1].array)) for name in names]


def _raw_labels(data: Path, name: str) -> np.ndarray:
    """As nnU-Net's files lie: the voxels of the file, not turned."""
    return sitk.GetArrayFromImage(sitk.ReadImage(str(data / "labelsTr" / f"{name}.nii.gz")))


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
