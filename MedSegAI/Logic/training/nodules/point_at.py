"""A nodule segmented from a click, as the validation of a run and the table of the model do it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from MedSegAI.Logic.geometry import Box, Grid, swap_lps_and_ras
from MedSegAI.Logic.inference.under_point import under_point
from MedSegAI.Logic.localise.points import middle_of, point_grid
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.standardise.resample import resample, resample_labels
from MedSegAI.Logic.training.nodules.case import NoduleCase
from MedSegAI.Logic.volume import Volume

_SPACING = (1.0, 1.0, 1.0)
_ALONG_LPS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def segment_at(
    network: nn.Module,
    case: NoduleCase,
    click: np.ndarray,
    *,
    window: tuple[int, int, int],
    normalisation: Normalisation,
) -> np.ndarray:
    """The nodule under a click: uint8 (k, j, i) on the case's voxels.

    The same window as in both apps: interpolated so that the click is its very middle, along the axes that every model
    sees. Of what the network finds there, the component under the click counts. Unlike an app, which has the whole scan
    and air beyond it, it sees the nearest known voxel beyond what is known of the case.

    Args:
        network: In evaluation mode; gives logits of two classes.
        case: The nodule, at 1 mm, its axes along those of LPS.
        click: Position (k, j, i) in voxels of the case.
        window: Window (k, j, i) in voxels.
        normalisation: How the voxels are prepared.
    """
    whole = Grid(case.hu.shape, _SPACING, (0.0, 0.0, 0.0), _ALONG_LPS)
    point = tuple(float(at) for at in swap_lps_and_ras(whole.lps_of(np.asarray(click, dtype=float))))
    around = point_grid(point, whole, size_mm=window[::-1], spacing_mm=_SPACING)
    image = torch.from_numpy(normalise(resample(_known(case, whole, around), around).array, normalisation))
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    with torch.no_grad():
        logits = network(image[None, None].to(device))[0]
    found = (logits[1] > logits[0]).cpu().numpy().astype(np.uint8)
    clicked = under_point(found, middle_of(around), spacing_kji=around.spacing_kji)
    return resample_labels(Volume(clicked, around), whole).array


def _known(case: NoduleCase, whole: Grid, around: Grid) -> Volume:
    """The voxels that ``around`` is interpolated from; those beyond the case repeat its nearest one."""
    box = Box.covering(whole.kji_of(around.corners_lps()))
    places = (
        np.clip(np.arange(start, stop), 0, size - 1) for start, stop, size in zip(box.start, box.stop, whole.shape)
    )
    return Volume(case.hu[np.ix_(*places)], whole.crop(box))
