"""How sure the network was of each structure, summed while labels are made, so that no map of probabilities is kept."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from MedSegAI.Logic.labels import LabelTable

_VALUES = 256


class WinningProbabilities:
    """The probabilities of the labels that won, added up by label.

    A voxel's probability is the softmax of the weighted mean of its windows' logits, at the label that won. It is what
    the network says of itself: not calibrated, so 0.9 does not mean that nine of ten such voxels are right.
    """

    def __init__(self) -> None:
        self._sums = np.zeros(_VALUES)
        self._counts = np.zeros(_VALUES, dtype=np.int64)

    def add(self, labels: np.ndarray, probabilities: np.ndarray) -> None:
        """Add voxels: their labels (any shape, uint8) and, in the same shape, the probabilities (0..1) of these."""
        values = labels.ravel()
        self._sums += np.bincount(values, weights=probabilities.ravel(), minlength=_VALUES)
        self._counts += np.bincount(values, minlength=_VALUES)

    def add_renamed(self, other: WinningProbabilities, names: Iterable[tuple[int, int]]) -> None:
        """Add what another has gathered, under other values; ``names`` are pairs (the other's value, value here)."""
        for theirs, mine in names:
            self._sums[mine] += other._sums[theirs]
            self._counts[mine] += other._counts[theirs]

    def means(self, table: LabelTable) -> dict[str, float]:
        """The mean probability (0..1) of each label of ``table`` that any voxel has, by the label's key."""
        return {
            label.key: float(self._sums[label.value] / self._counts[label.value])
            for label in table
            if self._counts[label.value]
        }


def winning_probabilities(labels: np.ndarray, probabilities: np.ndarray) -> WinningProbabilities:
    """Those of a whole label map (k, j, i) uint8 and its map of probabilities, added plane by plane."""
    gathered = WinningProbabilities()
    for plane, of_plane in zip(labels, probabilities):
        gathered.add(plane, of_plane)
    return gathered
