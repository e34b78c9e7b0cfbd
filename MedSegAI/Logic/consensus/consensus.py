"""What several raters' segmentations agree on, how sure that is, and how well each rater met it."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from MedSegAI.Logic.consensus.posterior import Posterior
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.provenance import software_versions


@dataclass(frozen=True, eq=False)
class RaterPerformance:
    """How one rater voted where the consensus says what is there.

    Args:
        rater: The rater's name.
        votes: Voxels that the rater looked at and that were counted.
        expected: float64 (classes, classes): ``expected[t, v]`` is the number of voxels, expected under the posterior,
            that are truly of class t and that the rater gave class v. None where there is nothing to compare with.
        values: uint8 (classes,), the label value of each class; 0 for background.
        weight: The weight of this rater's vote, 0 where the method left the rater out; 1 where it has no weights.
    """

    rater: str
    votes: int
    expected: np.ndarray | None
    values: np.ndarray
    weight: float = 1.0

    @property
    def confusion(self) -> np.ndarray | None:
        """float64 (classes, classes): probability of each vote (column) given the truth (row).

        A row is NaN where the consensus has no voxel of that class that the rater looked at.
        """
        if self.expected is None:
            return None
        rows = self.expected.sum(axis=1, keepdims=True)
        return np.divide(self.expected, rows, out=np.full_like(self.expected, np.nan), where=rows > 0)

    def sensitivity(self, value: int) -> float | None:
        """Probability of voting for the label ``value`` where it truly is; None where it is nowhere.

        Raises:
            InputError: if no label has this value.
        """
        if self.expected is None:
            return None
        row = self.expected[self._class(value)]
        return _ratio(row[self._class(value)], row.sum())

    def specificity(self, value: int) -> float | None:
        """Probability of not voting for the label ``value`` where it is not; None where it is everywhere.

        It grows with the background that was counted, so it compares raters only within one box.

        Raises:
            InputError: if no label has this value.
        """
        if self.expected is None:
            return None
        rest = np.delete(self.expected, self._class(value), axis=0)
        return _ratio(rest.sum() - rest[:, self._class(value)].sum(), rest.sum())

    def to_plain(self) -> dict[str, Any]:
        """Names and figures as JSON values."""
        confusion = self.confusion
        return {
            "rater": self.rater,
            "votes": self.votes,
            "weight": self.weight,
            "values": self.values.tolist(),
            "confusion": None if confusion is None else [[_number(p) for p in row] for row in confusion],
            "sensitivity": {str(v): self.sensitivity(v) for v in self.values[1:].tolist()},
            "specificity": {str(v): self.specificity(v) for v in self.values[1:].tolist()},
        }

    def _class(self, value: int) -> int:
        found = np.flatnonzero(self.values == value)
        if found.size == 0:
            raise InputError(f"No label has the value {value}.", advice=f"Choose one of {self.values.tolist()}.")
        return int(found[0])


@dataclass(frozen=True)
class ConsensusRecord:
    """How a consensus came about.

    Args:
        method: "staple", "majority" or "simple".
        raters: All raters' names, in order.
        performances: One a rater, in the same order.
        settings: The method's settings as plain values.
        prior: Prior probability of each label by key, "background" too; a mean where it differs between voxels; None
            where the method has no prior.
        prior_source: How the prior was got, as a sentence; empty where there is none.
        tie_rule: What happens where two labels are equally probable, as a sentence.
        counted: The box (k, j, i) of the grid whose voxels were counted.
        iterations: Iterations taken; 0 where the method has none.
        converged: Whether they ended because nothing changed any more; True where the method has none.
        notes: What a reader of the result should know, as sentences.
        created: ISO 8601 time in UTC.
        versions: Versions of the software.
    """

    method: str
    raters: tuple[str, ...]
    performances: tuple[RaterPerformance, ...]
    settings: dict[str, Any]
    prior: dict[str, float] | None
    prior_source: str
    tie_rule: str
    counted: Box
    iterations: int = 0
    converged: bool = True
    notes: tuple[str, ...] = ()
    created: str = field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc).isoformat())
    versions: dict[str, str] = field(default_factory=software_versions)

    def to_plain(self) -> dict[str, Any]:
        """The record as JSON values."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {
            "raters": list(self.raters),
            "performances": [one.to_plain() for one in self.performances],
            "counted": {edge: list(place) for edge, place in asdict(self.counted).items()},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, eq=False)
class Consensus:
    """The fused segmentation of several raters.

    Args:
        labels: uint8 label map (k, j, i) on ``grid``; 0 is background. Where nobody looked it is background.
        grid: The grid of the ratings, LPS mm.
        table: The labels of the ratings.
        posterior: The probabilities behind ``labels``.
        record: Method, raters' performance, prior, convergence.
    """

    labels: np.ndarray
    grid: Grid
    table: LabelTable
    posterior: Posterior
    record: ConsensusRecord

    @property
    def performances(self) -> tuple[RaterPerformance, ...]:
        """How each rater met the consensus, in the raters' order."""
        return self.record.performances

    def at(self, threshold: float) -> np.ndarray:
        """The label map with another threshold.

        Args:
            threshold: 0 to below 1. A voxel gets the most probable structure (not background) where that structure's
                probability is above the threshold, and background elsewhere. With one label, 0.5 gives ``labels``.

        Returns:
            uint8 (k, j, i).

        Raises:
            InputError: if the threshold lies outside 0..1.
        """
        if not 0.0 <= threshold < 1.0:
            raise InputError(f"The threshold {threshold} is no probability.", advice="Choose it from 0 to below 1.")
        return self.posterior.above(threshold)

    def probability(self, label: str | int) -> np.ndarray:
        """float32 (k, j, i), 0..1: how probable a label is; 0 where nobody looked.

        Args:
            label: Key, name or value of a label.

        Raises:
            LabelError: if there is no such label.
        """
        return self.posterior.probability(self.table.labels.index(self.table.find(label)) + 1)

    def entropy(self) -> np.ndarray:
        """float32 (k, j, i) in bits, 0 to log2(labels + 1): how undecided each voxel is; 0 where nobody looked."""
        return self.posterior.entropy()


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
