"""The heat map of one window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSegAI.Logic.bench.contestants import (
    MONAI,
    NO_MONAI,
    is_installed,
    monai_networks,
    smooth_image,
    untrained_model,
)
from MedSegAI.Logic.bench.measure import Action, Answers, Case, Conditions, Contest, Figure, Parity, Target, Unit

if TYPE_CHECKING:
    import torch

GRAD_CAM, CAPTUM = "ours, Grad-CAM", "captum LayerGradCam, our network"
PLUS_PLUS, MONAI_PLUS_PLUS, MONAI_ON_OURS = "ours, Grad-CAM++", "MONAI GradCAMpp", "MONAI GradCAMpp, our network"
NO_CAPTUM = "not installed: pip install captum"
_LAYER, _LABEL, _CLASSES = "decoder2", 1, 3


class HeatMapOfWindow:
    """Grad-CAM++ and Grad-CAM beside MONAI's and captum's, all at the same layer and for the same voxels."""

    name = "heat-map"
    title = "Heat map of one window"
    compares = (
        f"Grad-CAM++ of one label at the layer {_LAYER} against MONAI's `GradCAMpp`, feature size 12; both explain the "
        "label's logits summed over the same mask. Our plain Grad-CAM must equal captum's `LayerGradCam`; MONAI's map "
        "overflows or is turned over, so ours is not held against it."
    )
    unit = Unit.CPU_SECONDS
    uses_network = True

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """One window."""
        shape = (64, 32, 32) if conditions.quick else (96, 96, 96)
        targets = () if conditions.quick else (Target(PLUS_PLUS, Figure.TIMES_FASTER, 4.0),)
        return (Case(" x ".join(map(str, shape)), shape, targets),)

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        from MedSegAI.Logic.explain.grad_cam import ChannelWeights, explain_window

        volume, mask = smooth_image(case.about), _mask(case.about)
        with untrained_model(feature_size=12, classes=_CLASSES, window=case.about) as model:
            network = _loaded(model, conditions)
            actions: dict[str, Action] = {}
            absent: dict[str, str] = {}
            if is_installed("monai", "einops"):
                theirs = monai_networks(model, conditions)[MONAI]
                actions[MONAI_PLUS_PLUS] = _by_monai(theirs, volume, mask)
                actions[MONAI_ON_OURS] = _by_monai(network, volume, mask)
            else:
                absent |= dict.fromkeys((MONAI_PLUS_PLUS, MONAI_ON_OURS), NO_MONAI)
            if is_installed("captum"):
                actions[CAPTUM] = _by_captum(network, volume, mask)
            else:
                absent[CAPTUM] = NO_CAPTUM
            for name, weights in ((PLUS_PLUS, ChannelWeights.GRAD_CAM_PLUS_PLUS), (GRAD_CAM, ChannelWeights.GRAD_CAM)):
                options = {"label": _LABEL, "layer": _LAYER, "channel_weights": weights}
                actions[name] = lambda options=options: explain_window(network, volume, mask, **options)
            yield Contest(MONAI_PLUS_PLUS, actions, frozenset({PLUS_PLUS, GRAD_CAM}), _parity, absent)


def _loaded(model: Any, conditions: Conditions) -> torch.nn.Module:
    from MedSegAI.Logic.models.weights import load_network

    return load_network(model).to(conditions.device.value)


def _mask(shape: tuple[int, int, int]) -> np.ndarray:
    """The middle of a window, a third along each axis."""
    mask = np.zeros(shape, bool)
    mask[tuple(slice(n // 3, 2 * n // 3) for n in shape)] = True
    return mask


def _by_monai(network: torch.nn.Module, volume: np.ndarray, mask: np.ndarray) -> Action:
    import torch
    from monai.visualize import GradCAMpp

    image = torch.from_numpy(volume)[None].to(next(network.parameters()).device)
    cam = GradCAMpp(nn_module=_summed_over(network, mask), target_layers=f"network.{_LAYER}")
    return lambda: cam(image, class_idx=_LABEL)


def _by_captum(network: torch.nn.Module, volume: np.ndarray, mask: np.ndarray) -> Action:
    import torch
    from captum.attr import LayerAttribution, LayerGradCam

    image = torch.from_numpy(volume)[None].to(next(network.parameters()).device)
    cam = LayerGradCam(_summed_over(network, mask), network.get_submodule(_LAYER))

    def work() -> np.ndarray:
        raw = cam.attribute(image, target=_LABEL, relu_attributions=True)
        full = LayerAttribution.interpolate(raw, volume.shape[1:], interpolate_mode="trilinear")
        return full.detach()[0, 0].cpu().numpy()

    return work


def _summed_over(network: torch.nn.Module, mask: np.ndarray) -> torch.nn.Module:
    """A score a label, which is what both libraries differentiate."""
    import torch

    class SummedOverMask(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.mask = torch.from_numpy(mask)

        def forward(self, volume: torch.Tensor) -> torch.Tensor:
            return self.network(volume)[:, :, self.mask].sum(dim=2)

    return SummedOverMask()


def _parity(answers: Answers) -> dict[str, tuple[Parity, ...]]:
    if GRAD_CAM not in answers or CAPTUM not in answers:
        return {}
    expected = answers[CAPTUM]
    off = float(np.abs(answers[GRAD_CAM] - expected).max() / expected.max())
    return {GRAD_CAM: (Parity("off captum's map by (parts of its height)", off, 1e-3),)}
