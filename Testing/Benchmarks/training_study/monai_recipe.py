"""MONAI's networks trained as MONAI's own examples train them, within a budget of CPU time.

Transforms, loss, optimiser and inference are MONAI's; only the loop is here, since its schedule has to span a budget of
seconds. The state is kept every minute, with the CPU time that it had cost, so a killed run goes on from there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from MedSegAI.Logic.files.atomic import make_folder, write_beside
from MedSegAI.Logic.files.decathlon import read_split

PATCH = (32, 64, 32)
BATCH = 2
LEARNING_RATE, WEIGHT_DECAY, WARM_UP_SHARE = 1e-4, 1e-5, 0.05
SECONDS_BETWEEN_SAVES = 60.0
SEED = 1


@dataclass
class MonaiRun:
    """A run in progress, or finished.

    Args:
        network: Being trained.
        cpu_seconds: Spent so far on samples and steps.
        steps: Done so far.
        losses: Mean loss between two saves.
    """

    network: nn.Module
    cpu_seconds: float
    steps: int
    losses: list[float]


def run_monai(
    build: Callable[[], nn.Module], data: Path, work: Path, *, cpu_minutes: float, learning_rate: float = LEARNING_RATE
) -> MonaiRun:
    """Train until the CPU time is spent, or read what an earlier call had finished."""
    from monai.losses import DiceCELoss

    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    budget = cpu_minutes * 60
    run = MonaiRun(build(), 0.0, 0, [])
    optimiser = torch.optim.AdamW(run.network.parameters(), lr=learning_rate, weight_decay=WEIGHT_DECAY)
    state = make_folder(work) / "state.pt"
    if state.is_file():
        _restore(run, optimiser, state)
    loss_of = DiceCELoss(to_onehot_y=True, softmax=True)
    cases = _read(data, read_split(data / "split.json").train)
    batches = _batches(cases, seed=SEED + run.steps)
    since: list[float] = []
    saved_at = run.cpu_seconds
    while run.cpu_seconds < budget:
        started = time.process_time()
        images, labels = next(batches)
        rate = learning_rate * share_of_rate(run.cpu_seconds / budget)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        loss = loss_of(run.network(images), labels)
        loss.backward()
        optimiser.step()
        since.append(float(loss.detach()))
        run.steps += 1
        run.cpu_seconds += time.process_time() - started
        if run.cpu_seconds - saved_at > SECONDS_BETWEEN_SAVES or run.cpu_seconds >= budget:
            run.losses.append(sum(since) / len(since))
            since, saved_at = [], run.cpu_seconds
            _save(run, optimiser, state)
            print(f"{work.name}: step {run.steps}, {run.cpu_seconds:.0f} CPU seconds, loss {run.losses[-1]:.4f}")
    return run


def share_of_rate(spent: float) -> float:
    """Linear warm-up, then half a cosine to zero; ``spent`` is the part of the budget that is gone."""
    if spent < WARM_UP_SHARE:
        return max(spent, 1e-3) / WARM_UP_SHARE
    return 0.5 * (1 + math.cos(math.pi * min((spent - WARM_UP_SHARE) / (1 - WARM_UP_SHARE), 1.0)))


def predict_with_monai(network: nn.Module, data: Path, name: str) -> np.ndarray:
    """Label values (k, j, i) uint8 on the voxels of the file, by MONAI's sliding window: overlap 0.5, Gaussian."""
    from monai.inferers import sliding_window_inference

    image = _read(data, [name])[0]["image"]
    with torch.no_grad():
        logits = sliding_window_inference(image[None], PATCH, 4, network.eval(), overlap=0.5, mode="gaussian")
    return logits[0].argmax(dim=0).numpy().astype(np.uint8)


def _batches(cases: Sequence[dict], *, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    from monai.utils import set_determinism

    set_determinism(seed)
    change = _random_changes()
    random = np.random.default_rng(seed)
    while True:
        for index in random.permutation(len(cases)):
            # As in MONAI's examples, the samples of a step are crops of one case.
            samples = change(cases[index])
            yield tuple(torch.stack([sample[key].as_tensor() for sample in samples]) for key in ("image", "label"))


def _read(data: Path, names: Sequence[str]) -> list[dict[str, torch.Tensor]]:
    """Cases of axes (1, k, j, i), each normalised over itself, cropped to what is there and padded to the patch."""
    from monai.transforms import Compose, NormalizeIntensityd, ScaleIntensityRangePercentilesd

    from MedSegAI.Logic.files.decathlon import read_case

    cases = []
    for name in names:
        volume, label = read_case(data, name)
        image = torch.from_numpy(np.ascontiguousarray(volume.array, np.float32))[None]
        cases.append({"image": image, "label": torch.from_numpy(np.ascontiguousarray(label.array, np.int64))[None]})
    scale = ScaleIntensityRangePercentilesd("image", lower=0.5, upper=99.5, b_min=0.0, b_max=1.0, clip=True)
    prepare = Compose([scale, NormalizeIntensityd("image")])
    return [prepare(case) for case in cases]


def _random_changes() -> Callable[[dict[str, torch.Tensor]], list[dict[str, torch.Tensor]]]:
    from monai import transforms as t

    both = ("image", "label")
    return t.Compose(
        [
            t.CropForegroundd(both, source_key="image", select_fn=lambda x: x > x.min(), allow_smaller=True),
            t.SpatialPadd(both, PATCH),
            t.RandCropByPosNegLabeld(both, "label", PATCH, pos=1, neg=1, num_samples=BATCH, image_key="image"),
            *(t.RandFlipd(both, prob=0.1, spatial_axis=axis) for axis in range(3)),
            t.RandRotate90d(both, prob=0.1, max_k=3, spatial_axes=(0, 2)),
            t.RandAffined(
                both,
                prob=0.5,
                rotate_range=(0.26,) * 3,
                scale_range=(0.1,) * 3,
                mode=("bilinear", "nearest"),
                padding_mode="border",
            ),
            t.RandScaleIntensityd("image", factors=0.1, prob=0.5),
            t.RandShiftIntensityd("image", offsets=0.1, prob=0.5),
        ]
    )


def _save(run: MonaiRun, optimiser: torch.optim.Optimizer, path: Path) -> None:
    content = {"network": run.network.state_dict(), "optimiser": optimiser.state_dict()}
    content["progress"] = {"cpu_seconds": run.cpu_seconds, "steps": run.steps, "losses": run.losses}
    with write_beside(path) as temporary:
        torch.save(content, temporary)


def _restore(run: MonaiRun, optimiser: torch.optim.Optimizer, path: Path) -> None:
    content = torch.load(path, map_location="cpu", weights_only=True)
    run.network.load_state_dict(content["network"])
    optimiser.load_state_dict(content["optimiser"])
    for name, value in content["progress"].items():
        setattr(run, name, value)
