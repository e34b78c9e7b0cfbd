"""A nodule segmented from a click, as the validation of a run and the table of the model do it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from MedSegAI.Logic.inference.under_point import under_point
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.training.nodules.case import NoduleCase


def segment_at(
    network: nn.Module,
    case: NoduleCase,
    click: np.ndarray,
    *,
    window: tuple[int, int, int],
    normalisation: Normalisation,
) -> np.ndarray:
    """The nodule under a click: uint8 (k, j, i) on the case's voxels.

    The network sees one window centred on the click; beyond what is known of the case it sees the nearest known voxel.
    Of what it finds, the component under the click counts, as in both apps.

    Args:
        network: In evaluation mode; gives logits of two classes.
        case: The nodule.
        click: Position (k, j, i) in voxels of the case.
        window: Window (k, j, i) in voxels.
        normalisation: How the voxels are prepared.
    """
    start = [round(float(at)) - side // 2 for at, side in zip(click, window)]
    places = np.ix_(*(np.clip(np.arange(a, a + n), 0, size - 1) for a, n, size in zip(start, window, case.hu.shape)))
    image = torch.from_numpy(normalise(case.hu[places], normalisation))
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    with torch.no_grad():
        logits = network(image[None, None].to(device))[0]
    found = (logits[1] > logits[0]).cpu().numpy().astype(np.uint8)
    return under_point(
        _on_case(found, start, case.hu.shape), tuple(float(at) for at in click), spacing_kji=(1.0, 1.0, 1.0)
    )


def _on_case(found: np.ndarray, start: list[int], shape: tuple[int, ...]) -> np.ndarray:
    low = [max(a, 0) for a in start]
    high = [min(a + n, size) for a, n, size in zip(start, found.shape, shape)]
    result = np.zeros(shape, dtype=np.uint8)
    inside = tuple(slice(a, b) for a, b in zip(low, high))
    result[inside] = found[tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start))]
    return result
