"""Quarter turns of a patch, and about which axis they leave its shape as it is."""

from __future__ import annotations

import torch
from torch import Tensor

TURNS = 4


def plane_of_turns(shape: tuple[int, int, int]) -> tuple[int, int] | None:
    """Two axes (k, j, i are 0, 1, 2) of a patch that are equally long, j and i if they are; None where none are."""
    return next((plane for plane in ((1, 2), (0, 2), (0, 1)) if shape[plane[0]] == shape[plane[1]]), None)


def turned(patch: Tensor, turns: int, *, plane: tuple[int, int]) -> Tensor:
    """The patch (k, j, i) after so many quarter turns in a plane."""
    return torch.rot90(patch, turns, plane)
