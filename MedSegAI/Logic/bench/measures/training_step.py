"""One step of training: forward pass, gradients, new weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.bench.contestants import MONAI, NO_MONAI, TORCH, monai_networks, smooth_image, untrained_model
from MedSegAI.Logic.bench.measure import Action, Answers, Case, Conditions, Contest, Parity, Unit

if TYPE_CHECKING:
    import torch

_CLASSES = 3


class TrainingStep:
    """Ours beside MONAI's ``SwinUNETR``, float32, the same optimiser and the same patches."""

    name = "training-step"
    title = "Training step"
    compares = (
        "Forward pass, cross-entropy, gradients and AdamW of a Swin-UNETR of feature size 12, against MONAI's as it "
        "comes; random weights, the same in both. The loss of the first step must be MONAI's."
    )
    unit = Unit.CPU_SECONDS
    uses_network = True

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """One large patch, and two small ones at once as the shipped model was trained on."""
        if conditions.quick:
            return (_case(1, (64, 32, 32)),)
        return (_case(1, (96, 96, 96)), _case(2, (32, 64, 32)))

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        from MedSegAI.Logic.models.weights import load_network

        count, shape = case.about
        with untrained_model(feature_size=12, classes=_CLASSES, window=shape) as model:
            networks = {TORCH: load_network(model).to(conditions.device.value)}
            theirs = monai_networks(model, conditions)
            if theirs:
                networks[MONAI] = theirs[MONAI]
            patches = np.stack([smooth_image(shape, seed=seed) for seed in range(count)])
            yield Contest(
                reference=MONAI,
                actions={name: _step(network, patches) for name, network in networks.items()},
                ours=frozenset({TORCH}),
                parity=_parity,
                absent={} if theirs else {MONAI: NO_MONAI},
            )


def _case(count: int, shape: tuple[int, int, int]) -> Case:
    return Case(f"{count} of {' x '.join(map(str, shape))}", (count, shape))


def _step(network: torch.nn.Module, patches: np.ndarray) -> Action:
    """One step on patches (n, 1, k, j, i), whose bright voxels are one label; gives the loss before it."""
    import torch

    volume = torch.as_tensor(patches, device=next(network.parameters()).device)
    labels = (volume[:, 0] > 0).long()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def step() -> float:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(network.train()(volume), labels)
        loss.backward()
        optimiser.step()
        return float(loss)

    return step


def _parity(answers: Answers) -> dict[str, tuple[Parity, ...]]:
    if MONAI not in answers or TORCH not in answers:
        return {}
    off = abs(answers[TORCH] / answers[MONAI] - 1)
    return {TORCH: (Parity("loss off by (parts of it)", off, 1e-4),)}
