"""A model of the lung nodule model's form that calls bright what is bright: no training, and a known answer.

It is a genuine model folder with a genuine Swin-UNETR, so workers, browsers and heat maps run as with any other model.
All weights are 0 but for one path past the transformer: the scan itself, made even by the network's own norms, against
a threshold.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Code, Label, LabelTable, Terminology
from MedSegAI.Logic.models.card import UNDER_POINT, ModelCard, ModelInput
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import build_network, save_model
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.volume import Modality, Unit, Volume

NAME = "bright-nodule-ct"
LUNG_HU, NODULE_HU, WALL_HU = -850.0, 40.0, 60.0
_FEATURES = 12
_SHARPNESS = 6.0
# As small as the network takes it, along k, j, i; at 1 mm.
_WINDOW = (64, 32, 32)


def pointed_card() -> ModelCard:
    """Its card."""
    nodule = Terminology(
        Code("SCT", "49755003", "Morphologically Abnormal Structure"), Code("SCT", "27925004", "Nodule")
    )
    rule = Normalisation("range", clip_values=(-1000.0, 400.0))
    return ModelCard(
        name=NAME,
        title="Bright nodule in CT",
        version="1",
        licence="Apache-2.0",
        description="Calls bright what is bright around a point. For tests.",
        weights_sha256="0" * 64,
        network="SwinUNETR",
        network_arguments={"in_channels": 1, "out_channels": 2, "feature_size": _FEATURES, "window_size": 4},
        inputs=(ModelInput("CT", Modality.CT, Unit.HOUNSFIELD, rule),),
        spacing_mm=(1.0, 1.0, 1.0),
        window=_WINDOW,
        overlap=0.5,
        labels=LabelTable((Label(1, "lung_nodule", "Lung nodule", (0.93, 0.35, 0.3), nodule),)),
        saliency_layer="decoder1",
        components=UNDER_POINT,
        point_box_mm=tuple(float(side) for side in reversed(_WINDOW)),
    )


def install_pointed_model(models: Path, *, threshold: float = 1.0) -> Model:
    """Write the model into a folder of models, such as the one that MEDSEGAI_MODELS names.

    Args:
        models: The folder of models.
        threshold: How many standard deviations above the box's mean a voxel is bright.
    """
    import torch

    card = pointed_card()
    network = build_network(card.network, card.network_arguments)
    state = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    state["encoder1.layer.conv3.conv.weight"][0, 0] = 1.0
    state["decoder1.conv_block.conv3.conv.weight"][0, _FEATURES] = 1.0
    state["out.conv.conv.weight"][1, 0] = _SHARPNESS
    state["out.conv.conv.bias"][1] = -_SHARPNESS * threshold
    return save_model(models / card.name, card, state=state)


def a_chest(
    *balls: tuple[tuple[float, float, float], float],
    shape: tuple[int, int, int] = (60, 120, 120),
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Volume:
    """A block of lung in a wall of 10 mm, in air, with nodules in it; its middle lies at the origin.

    Args:
        balls: Each its centre (R, A, S) in mm and its radius.
        shape: Voxels (k, j, i).
        spacing: Spacing (i, j, k) in mm.
    """
    middle = (np.array(shape[::-1]) - 1) / 2 * np.array(spacing)
    # Stored as CT is: i to Left, j to Posterior, k to Superior.
    grid = Grid(shape, spacing, tuple(-middle))
    k, j, i = (np.arange(count) for count in shape)
    left, back, up = (step * values + start for step, values, start in zip(spacing, (i, j, k), grid.origin))
    hu = np.full(shape, -1000.0, dtype=np.float32)
    reach = middle[:2] - 5.0
    body = (np.abs(back) <= reach[1])[:, None] & (np.abs(left) <= reach[0])
    lung = (np.abs(back) <= reach[1] - 10)[:, None] & (np.abs(left) <= reach[0] - 10)
    hu[:, body] = WALL_HU
    hu[:, lung] = LUNG_HU
    for (r, a, s), radius in balls:
        apart = (up - s)[:, None, None] ** 2 + (back + a)[:, None] ** 2 + (left + r) ** 2
        hu[apart <= radius**2] = NODULE_HU
    noise = np.random.default_rng(7).normal(0, 12, shape)
    return Volume((hu + noise).astype(np.int16), grid, Modality.CT, Unit.HOUNSFIELD, name="chest")
