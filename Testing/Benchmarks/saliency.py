"""Whether a heat map tells the truth: does it point at its own label, and does it need the trained weights?

    python -m Testing.Benchmarks.saliency [--dataset DIR] [--split FILE] [--cases 62] [-o figures.json]

For each case, label, layer and method: whether the map's peak lies in the label (pointing game, Zhang et al. 2018) or
in another one, the share of the heat inside the label, and the correlation of the map with that of a network of random
weights for the same voxels (Adebayo et al. 2018, *Sanity Checks for Saliency Maps*): near 1 means that the map does
not depend on what was learned.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from MedSegAI.Logic.explain.grad_cam import ChannelWeights, class_activation_map
from MedSegAI.Logic.explain.layers import activations_and_logits
from MedSegAI.Logic.files.decathlon import case_file, read_subset
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.inference.windows import cut_window
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.models.weights import build_network, load_network
from MedSegAI.Logic.standardise.intensity import normalise

HIPPOCAMPUS = Path(os.environ.get("MEDSEGAI_DATA") or "../shared/data") / "msd_hippocampus"
MULTIPLE = 32
Maps = dict[tuple[int, str], np.ndarray]


def whole_crop(array: np.ndarray) -> torch.Tensor:
    """The crop (k, j, i), padded evenly to what the network can halve five times, as a batch of one."""
    shape = [-(-n // MULTIPLE) * MULTIPLE for n in array.shape]
    start = [(n - padded) // 2 for n, padded in zip(array.shape, shape)]
    return torch.from_numpy(cut_window(array[None], start, shape))[None]


def heat_maps(network: torch.nn.Module, image: torch.Tensor, masks: dict[int, torch.Tensor], layer: str) -> Maps:
    features, logits = activations_and_logits(network, image, layer=layer)
    maps = {}
    for label, mask in masks.items():
        (gradient,) = torch.autograd.grad(logits[0, label][mask].mean(), features, retain_graph=True)
        for method in ChannelWeights:
            small = class_activation_map(features.detach()[0], gradient[0], channel_weights=method)
            full = functional.interpolate(small[None, None], size=image.shape[2:], mode="trilinear")
            maps[label, method.value] = full[0, 0].numpy()
    return maps


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's; 0 where one of the maps is constant, as an empty one is."""
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def scores(
    trained: Maps, random: Maps, masks: dict[int, torch.Tensor]
) -> Iterator[tuple[tuple[int, str], list[float]]]:
    found = sum(mask.numpy().astype(np.uint8) * label for label, mask in masks.items())
    for (label, method), heat in trained.items():
        peak = found.ravel()[heat.argmax()]
        share = heat[found == label].sum() / max(heat.sum(), 1e-12)
        likeness = correlation(heat, random[label, method])
        yield (label, method), [peak == label, peak not in (0, label), share, likeness]


def measure(options: argparse.Namespace) -> list[dict[str, object]]:
    model = find_model(options.model)
    network = load_network(model)
    torch.manual_seed(0)
    untrained = build_network(model.card.network, model.card.network_arguments).eval()
    collected: dict[tuple, list[list[float]]] = defaultdict(list)
    for name in read_subset(options.split, options.subset)[: options.cases]:
        scan = read_volume(case_file(options.dataset / "imagesTr", name))
        image = whole_crop(normalise(scan.array, model.card.inputs[0].normalisation))
        with torch.inference_mode():
            labels = network(image).argmax(1)[0]
        masks = {label.value: labels == label.value for label in model.card.labels}
        masks = {value: mask.clone() for value, mask in masks.items() if mask.any()}
        for layer in options.layers:
            maps = [heat_maps(one, image, masks, layer) for one in (network, untrained)]
            for (label, method), values in scores(*maps, masks):
                collected[layer, method, model.card.labels.find(label).key].append(values)
    names = ("peak_in_label", "peak_in_other_label", "share_in_label", "likeness_to_random_network")
    return [
        {"layer": layer, "method": method, "label": label, "cases": len(values)}
        | dict(zip(names, np.mean(values, axis=0).round(3).tolist()))
        for (layer, method, label), values in collected.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="hippocampus-mr")
    parser.add_argument("--dataset", type=Path, default=HIPPOCAMPUS, help="default: %(default)s")
    parser.add_argument("--split", type=Path, help="default: split.json of the data set")
    parser.add_argument("--subset", default="val")
    parser.add_argument("--cases", type=int, help="only the first so many")
    parser.add_argument("--layers", nargs="+", default=["decoder1", "decoder2", "decoder3"])
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    options.split = options.split or options.dataset / "split.json"
    if not options.split.is_file():
        print(f"No labelled cases at {options.dataset}: set MEDSEGAI_DATA, or name them with --dataset.")
        return
    rows = measure(options)
    print(f"{'layer':10}{'method':12}{'label':24}{'cases':>6}{'peak in':>9}{'in other':>9}{'share':>7}{'likeness':>9}")
    for row in rows:
        layer, method, label, cases, peak, other, share, likeness = row.values()
        print(f"{layer:10}{method:12}{label:24}{cases:6}{peak:9.2f}{other:9.2f}{share:7.2f}{likeness:9.2f}")
    if options.output:
        options.output.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
