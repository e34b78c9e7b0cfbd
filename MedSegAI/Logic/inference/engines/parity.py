"""Does an engine give what torch gives? Both are shown the same windows, and what they say is compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from MedSegAI.Logic.inference.engines.bounds import Bounds
from MedSegAI.Logic.models.card import ModelCard, ModelInput
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.volume import Unit

_SEED = 7
_BODIES = 12
_SHARE_OF_A_CLASS = 0.05
_FLAT = 1e-3
_BRIGHTEST = {Unit.HOUNSFIELD: (-1000.0, 1400.0)}
_USUAL_RANGE = (0.0, 1000.0)


@dataclass(frozen=True)
class Parity:
    """How near an engine came to torch on the windows of the check.

    Args:
        lowest_dice: Smallest Dice of a structure between torch and the engine, see :func:`compare`.
        largest_logit_difference: Largest difference of one logit of one voxel.
        agreement: Fraction of voxels with the same label.
    """

    lowest_dice: float
    largest_logit_difference: float
    agreement: float

    def within(self, bounds: Bounds) -> bool:
        """Whether the engine may stand for torch; not where a figure is no number."""
        return (
            self.lowest_dice >= bounds.lowest_dice and self.largest_logit_difference <= bounds.largest_logit_difference
        )

    def sentence(self) -> str:
        """The figures for a person to read."""
        return f"Dice {self.lowest_dice:.4f}, logits within {self.largest_logit_difference:.2g}"

    def to_plain(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return asdict(self)


def check_windows(card: ModelCard, *, count: int = 2) -> np.ndarray:
    """Windows (count, channels, k, j, i) float32 that look to the network like a scan, the same on every machine.

    Noise alone would not do: instance norm and attention see other ranges in it than in a scan, and a network answers
    it with one label. So each channel is a body with a smooth shading, round structures of many sizes and
    brightnesses, edges between them and a little noise, in the unit of the card's input, brought to the network's
    range by the card's own rule. No scan of a patient is needed for it, and none has to be shipped.
    """
    generator = np.random.default_rng(_SEED)
    return np.stack(
        [np.stack([_synthetic(card.window, wanted, generator) for wanted in card.inputs]) for _window in range(count)]
    )


def compare(of_torch: np.ndarray, of_engine: np.ndarray) -> Parity:
    """How near two sets of logits (n, classes, k, j, i) are.

    The Dice is taken twice for every class but the background: over the voxels that get its label, where torch gives
    it to any; and over the twentieth of all voxels that torch finds most like it, at the same threshold for both. The
    second also tells something of a structure that the windows do not hold.
    """
    ours, theirs = np.moveaxis(of_torch, 1, 0), np.moveaxis(of_engine, 1, 0)
    difference = float(np.abs(ours - theirs).max())
    labels, other_labels = ours.argmax(0), theirs.argmax(0)
    dices = [1.0]
    for value in range(1, len(ours)):
        if (labels == value).any():
            dices.append(_dice(labels == value, other_labels == value))
        likeness, other = _lead_of(ours, value), _lead_of(theirs, value)
        threshold = np.quantile(likeness, 1 - _SHARE_OF_A_CLASS)
        # A network that says the same everywhere has no twentieth, only rounding.
        if np.ptp(likeness) > _FLAT:
            dices.append(_dice(likeness > threshold, other > threshold))
    return Parity(min(dices), difference, float((labels == other_labels).mean()))


def _lead_of(logits: np.ndarray, value: int) -> np.ndarray:
    """By how much a class leads the best of the others; logits (classes, ...)."""
    return logits[value] - np.delete(logits, value, axis=0).max(0)


def _dice(one: np.ndarray, other: np.ndarray) -> float:
    total = int(one.sum()) + int(other.sum())
    return 1.0 if total == 0 else 2 * int((one & other).sum()) / total


def _synthetic(window: tuple[int, int, int], wanted: ModelInput, generator: np.random.Generator) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, side) for side in window), indexing="ij"))
    shape = np.zeros(window)
    for number in range(_BODIES):
        centre = generator.uniform(-0.7, 0.7, (3, 1, 1, 1)) * (number > 0)
        radius = generator.uniform(0.08, 0.5, (3, 1, 1, 1)) if number else np.full((3, 1, 1, 1), 0.95)
        shape[(((places - centre) / radius) ** 2).sum(0) < 1] = generator.uniform(0.1, 1.0) if number else 0.5
    shading = 1 + 0.2 * places[0] * places[1]
    noise = generator.normal(0, 0.03, window)
    low, width = _BRIGHTEST.get(wanted.unit, _USUAL_RANGE)
    voxels = low + width * np.clip(gaussian_filter(shape, 0.7) * shading + noise, 0, 1)
    return normalise(voxels.astype(np.float32), wanted.normalisation)
