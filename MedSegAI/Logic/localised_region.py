"""A place in a scan that the network is shown, and how what it says there is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from MedSegAI.Logic.geometry import Grid


@dataclass(frozen=True)
class LocalisedRegion:
    """One region of a scan in model space.

    Args:
        name: What it is called, such as "left hippocampus" or "whole volume".
        grid: Model-space grid of the region (the network's axes and spacing), LPS mm in the patient.
        mirrored: Whether the network sees it mirrored left to right (reversed along i).
        labels: Pairs (network's label value, label value in the segmentation).
        within: The part of it in which labels are given, LPS mm; None: in all of it. What lies around that part is only
            shown to the network.
    """

    name: str
    grid: Grid
    mirrored: bool
    labels: tuple[tuple[int, int], ...]
    within: Grid | None = None

    def orient(self, array: np.ndarray) -> np.ndarray:
        """An array (..., k, j, i) of this region as the network sees it, or back again: it is its own inverse."""
        return array[..., ::-1] if self.mirrored else array

    def rename(self, network_labels: np.ndarray) -> np.ndarray:
        """uint8 label values of the segmentation for uint8 label values of the network; unnamed ones become 0."""
        table = np.zeros(256, dtype=np.uint8)
        for network_value, value in self.labels:
            table[network_value] = value
        return table[network_labels]

    def network_value(self, value: int) -> int | None:
        """The network's label value behind the segmentation's ``value``, None if this region has no such label."""
        return next((mine for mine, theirs in self.labels if theirs == value), None)

    def to_plain(self) -> dict[str, Any]:
        """The region as JSON values."""
        return {
            "name": self.name,
            **self.grid.to_plain(),
            "mirrored": self.mirrored,
            "labels": [list(pair) for pair in self.labels],
            **({} if self.within is None else {"within": self.within.to_plain()}),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> LocalisedRegion:
        """The region that :meth:`to_plain` described."""
        labels = tuple((a, b) for a, b in plain["labels"])
        within = plain.get("within")
        within = None if within is None else Grid.from_plain(within)
        return cls(plain["name"], Grid.from_plain(plain), plain["mirrored"], labels, within)
