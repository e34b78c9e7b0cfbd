"""A model of four inputs with random weights, and four real sequences of one head, coarse enough to be quick."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.write import write_volume
from MedSegAI.Logic.models.card import ModelCard, ModelInput
from MedSegAI.Logic.models.weights import build_network, save_model
from MedSegAI.Logic.standardise.resample import grid_with_spacing, resample
from MedSegAI.Logic.volume import Modality, Unit, Volume

NAME = "untrained-tumour"
MM = (5.0, 5.0, 5.0)
NAMES = ("T1", "T1c", "T2", "FLAIR")
_ENDINGS = {"T1": "t1n", "T1c": "t1c", "T2": "t2w", "FLAIR": "t2f"}


def save_four_input_model(folder: Path, template: Path) -> None:
    """Save it into a folder of models; its T2 may be missing."""
    import torch

    card = ModelCard.from_json(template.read_text(encoding="utf-8"))
    rule = card.inputs[0].normalisation
    inputs = tuple(ModelInput(name, Modality.MR, Unit.ARBITRARY, rule, name == "T2") for name in NAMES)
    arguments = {**card.network_arguments, "in_channels": 4}
    changes = {"name": NAME, "inputs": inputs, "network_arguments": arguments, "spacing_mm": MM}
    card = replace(card, **changes, window=(32, 64, 32), overlap=0.0, localiser=None)
    torch.manual_seed(5)
    save_model(folder / NAME, card, state=build_network(card.network, card.network_arguments).state_dict())


@functools.cache
def registered_sequences(data: Path) -> dict[str, Volume]:
    """Four sequences of one head with a tumour, registered, at 5 mm: 48 x 48 x 31 voxels; read once for all tests."""
    case = data / "brats_like" / "BraTS-GLI-00001-000"
    found = {}
    for name, ending in _ENDINGS.items():
        scan = read_volume(case / f"{case.name}-{ending}.nii.gz", modality=Modality.MR)
        found[name] = replace(resample(scan, grid_with_spacing(scan.grid, MM)), name=f"{name} scan")
    return found


def write_sequences(data: Path, folder: Path) -> dict[str, Path]:
    """The same, as one file each."""
    paths = {name: folder / f"{name.lower()}.nrrd" for name in NAMES}
    for name, scan in registered_sequences(data).items():
        write_volume(paths[name], scan)
    return paths
