"""What is trained for the nodule table: our recipe, one change of it each, and the rivals, in equal CPU time."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from monai.networks import nets

from MedSegAI.Logic.models.weights import NETWORK_MODULES, build_network
from MedSegAI.Logic.training.batches import batch_of_step
from MedSegAI.Logic.training.config import TrainingConfig, config_from_mapping
from MedSegAI.Logic.training.loss import dice_cross_entropy
from MedSegAI.Logic.training.training_set import TrainingSet

RECIPE = Path(__file__).parents[2] / "MedSegAI" / "Resources" / "Training" / "lung-nodule-ct.yaml"
_TIMED_STEPS = 6
_INSIDE = {"in_channels": 2, "out_channels": 2, "feature_size": 12, "window_size": 4}


class MonaiSwinUNETR(nets.SwinUNETR):
    """MONAI's, under a name of its own."""


@dataclass(frozen=True)
class Variant:
    """One run.

    Args:
        name: Of its result file.
        title: In the table.
        network: Name of the network inside :class:`ClickChannel`; None takes the recipe's.
        arguments: Its arguments.
        click: Whether the network is told where the click is.
        data: Fields of the configuration's ``data`` that differ from the recipe.
    """

    name: str
    title: str
    network: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    click: bool = True
    data: dict[str, Any] = field(default_factory=dict)


def _hybrid(name: str, title: str, **parts: str) -> Variant:
    return Variant(name, title, "HybridSwinUNETR", _INSIDE | parts)


BASE = Variant("ours", "Ours: Swin-UNETR told the click, STAPLE of the readers")
VARIANTS = (
    BASE,
    Variant(
        "unet",
        "Plain U-Net (MONAI BasicUNet)",
        "BasicUNet",
        {"spatial_dims": 3, "in_channels": 2, "out_channels": 2, "features": [16, 16, 32, 64, 128, 16]},
    ),
    Variant("monai-swin-unetr", "MONAI's SwinUNETR", "MonaiSwinUNETR", _INSIDE),
    Variant("reference-soft", "soft labels: the share of the readers", data={"reference": "soft"}),
    Variant("reference-random-reader", "a random reader each time", data={"reference": "random-reader"}),
    Variant("no-click-channel", "not told where the click is", "SwinUNETR", _INSIDE | {"in_channels": 1}, click=False),
    _hybrid("attention", "with attention at the skips", feature_selection="channels-and-places"),
    _hybrid("crf", "with the conditional random field", refinement="conditional-random-field"),
    Variant("reference-majority", "majority of the readers", data={"reference": "majority"}),
    Variant("reference-one-reader", "one reader", data={"reference": "one-reader"}),
    Variant("cubes-only", "trained on the cubes alone", data={"slices_folder": ""}),
    Variant("no-truncation", "slices never taken away", data={"truncation": 0.0}),
)


def register_rivals() -> None:
    """Let configurations name the networks of others."""
    NETWORK_MODULES["BasicUNet"] = "monai.networks.nets"
    NETWORK_MODULES["MonaiSwinUNETR"] = __name__


def config_of(variant: Variant, *, steps: int) -> TrainingConfig:
    """The recipe with the variant's changes, validated at its end only."""
    fields = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    fields |= {"name": f"nodule-{variant.name}", "total_steps": steps}
    fields["data"] |= variant.data
    fields["validation"]["every_epochs"] = 10_000
    if variant.network is not None and not variant.click:
        fields["network"] = {"name": variant.network, "arguments": copy.deepcopy(variant.arguments)}
    elif variant.network is not None:
        inside = {"network": variant.network, "arguments": copy.deepcopy(variant.arguments)}
        fields["network"]["arguments"] |= inside
    return config_from_mapping(fields, source=variant.name)


def seconds_of_a_step(config: TrainingConfig, learned: TrainingSet) -> float:
    """CPU seconds of a training step with making its batch: the median of a few, without the first."""
    network = build_network(config.network.name, config.network.arguments)
    network = network.to(memory_format=torch.channels_last_3d).train()
    optimiser = torch.optim.AdamW(network.parameters(), fused=True)
    seconds = []
    for step in range(1 + _TIMED_STEPS):
        started = time.process_time()
        batch = batch_of_step(learned, config, step)
        optimiser.zero_grad()
        logits = network(batch.images.to(memory_format=torch.channels_last_3d))
        dice_cross_entropy(logits, batch.targets, background="excluded", weights=batch.weights).backward()
        optimiser.step()
        seconds.append(time.process_time() - started)
    return sorted(seconds[1:])[_TIMED_STEPS // 2]
