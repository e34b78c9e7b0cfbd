"""Our Grad-CAM++ of one window against MONAI's ``GradCAMpp``, CPU seconds of one thread.

    python -m Testing.Benchmarks.grad_cam [--layer decoder2] [--runs 5] [-o figures.json]

Both explain the same label of the same volume of 96 cubed at the same layer, feature size 12. MONAI runs on its own
network as it comes and, to part the two gains, on ours. Its target is a single number per image, so it is given a
network that sums the label's logits over the mask, as ours does by itself.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from monai.networks.nets.swin_unetr import SwinUNETR as MonaiSwinUNETR
from monai.visualize import GradCAMpp

from MedSegAI.Logic.explain.grad_cam import explain_window
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from Testing.Benchmarks.network import interleaved_medians

SHAPE = (96, 96, 96)
LABEL = 1


class SummedOverMask(torch.nn.Module):
    """A score a label, which is what MONAI's class activation maps differentiate."""

    def __init__(self, network: torch.nn.Module, mask: np.ndarray) -> None:
        super().__init__()
        self.network = network
        self.mask = torch.from_numpy(mask)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        return self.network(volume)[:, :, self.mask].sum(dim=2)


def measure(layer: str, runs: int) -> dict[str, float]:
    arguments = {"in_channels": 1, "out_channels": 3, "feature_size": 12}
    torch.manual_seed(0)
    theirs, ours = MonaiSwinUNETR(**arguments).eval(), SwinUNETR(**arguments).eval()
    ours.load_state_dict(theirs.state_dict())
    volume = np.random.default_rng(0).normal(size=(1, *SHAPE)).astype(np.float32)
    mask = np.zeros(SHAPE, bool)
    mask[30:50, 40:60, 20:50] = True

    def monai_on(network: torch.nn.Module) -> GradCAMpp:
        return GradCAMpp(nn_module=SummedOverMask(network, mask), target_layers=f"network.{layer}")

    image = torch.from_numpy(volume)[None]
    cams = {"MONAI on its network": monai_on(theirs), "MONAI on our network": monai_on(ours)}
    work = {name: lambda cam=cam: cam(image, class_idx=LABEL) for name, cam in cams.items()}
    work["ours"] = lambda: explain_window(ours, volume, mask, label=LABEL, layer=layer)
    return interleaved_medians(work, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer", default="decoder2")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    medians = measure(options.layer, options.runs)
    for name, seconds in medians.items():
        print(f"{name:22}{seconds:9.3f} s{medians['MONAI on its network'] / seconds:8.2f}x")
    if options.output:
        figures = {"layer": options.layer, "shape": SHAPE, "feature_size": 12, "cpu_seconds": medians}
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
