"""The E-step of STAPLE where voxels with the same votes differ: another prior in each, or neighbours that matter.

Worked off in blocks of planes in float64; only the probabilities of all voxels, where they must be kept, are float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from MedSegAI.Logic.consensus.expectation import EvidenceOfVotes, normalised
from MedSegAI.Logic.consensus.posterior import VoxelPosterior
from MedSegAI.Logic.consensus.vote_patterns import VotePatterns
from MedSegAI.Logic.errors import InputError

_BLOCK_NUMBERS = 1 << 18
_LARGEST_FIELD_BYTES = 4 << 30
_DAMPING = 0.5


class VoxelExpectation:
    """The E-step with a prior of each voxel, or with smoothing, or both.

    Smoothing is a Markov random field in the mean-field approximation: a class gains ``smoothing`` in log-probability
    for each of the six face neighbours that has it, in proportion to how probable the neighbour has it. One sweep of
    all voxels is made in each EM iteration, from the neighbours' probabilities of the iteration before, and goes half
    of the way so that it cannot swing to and fro. Neighbours outside the counted box, or where nobody looked, do not
    matter; neither does the voxels' spacing.

    Args:
        patterns: The votes.
        prior: Either float64 (classes,), or float (k, j, i) of the whole grid for each class but background.
        smoothing: Log-probability gained for each neighbour, 0 for none.

    Raises:
        InputError: if the probabilities of all voxels in the counted box would need more than 4 GiB.
    """

    def __init__(self, patterns: VotePatterns, prior: np.ndarray | Sequence[np.ndarray], *, smoothing: float) -> None:
        self._patterns = patterns
        self._prior = prior
        self._smoothing = smoothing
        self._evidence = EvidenceOfVotes(patterns)
        self._looked_at = patterns.looked_at
        self._code = patterns.code[patterns.counted.slices]
        self._field_shape = (patterns.classes, *self._code.shape)
        needed = 4 * int(np.prod(self._field_shape, dtype=np.int64)) * (2 if smoothing else 1)
        if needed > _LARGEST_FIELD_BYTES:
            raise InputError(
                f"The probabilities of {patterns.classes - 1} labels in {self._code.size} voxels need "
                f"{needed / 2**30:.1f} GiB.",
                advice="Count only a margin around the votes, fuse one label at a time, or use one prior for all "
                "voxels without smoothing.",
            )
        self._field: np.ndarray | None = None

    def expected_votes(self, performance: np.ndarray) -> np.ndarray:
        """float64 (raters, vote, truth): see ``Expectation``; with smoothing, one sweep goes with it."""
        voxels = np.zeros((len(self._patterns.votes), self._patterns.classes))
        field = np.empty(self._field_shape, np.float32) if self._smoothing else None
        for part, probabilities in self._sweep(performance):
            code = self._code[part].ravel()
            for c, of_class in enumerate(probabilities.reshape(-1, self._patterns.classes).T):
                voxels[:, c] += np.bincount(code, weights=of_class, minlength=len(voxels))
            if field is not None:
                field[:, part] = np.moveaxis(probabilities, -1, 0)
        self._field = field
        return self._evidence.by_vote(voxels)

    def posterior(self, performance: np.ndarray) -> VoxelPosterior:
        """float32 probabilities (classes, k, j, i) inside the counted box."""
        result = np.empty(self._field_shape, np.float32)
        for part, probabilities in self._sweep(performance):
            probabilities[~self._looked_at[self._code[part]]] = np.eye(self._patterns.classes)[0]
            result[:, part] = np.moveaxis(probabilities, -1, 0)
        patterns = self._patterns
        return VoxelPosterior(result, patterns.counted, patterns.code.shape, patterns.values)

    def _sweep(self, performance: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Blocks of planes of the box and their probabilities (k, j, i, classes), 0 where nobody looked."""
        evidence = self._evidence.logarithms(performance)
        plane = self._field_shape[2] * self._field_shape[3] * self._patterns.classes
        step = max(1, _BLOCK_NUMBERS // plane)
        for start in range(0, self._field_shape[1], step):
            part = slice(start, min(start + step, self._field_shape[1]))
            code = self._code[part]
            logarithms = evidence[code] + self._log_prior(part)
            if self._field is not None:
                logarithms += self._smoothing * np.moveaxis(_sum_of_neighbours(self._field, part), 0, -1)
            probabilities = normalised(logarithms)
            if self._field is not None:
                probabilities *= 1 - _DAMPING
                probabilities += _DAMPING * np.moveaxis(self._field[:, part], 0, -1)
            probabilities[~self._looked_at[code]] = 0.0
            yield part, probabilities

    def _log_prior(self, part: slice) -> np.ndarray:
        """float64 (classes,) or (k, j, i, classes) of some planes of the box."""
        prior = self._prior
        if not isinstance(prior, np.ndarray):
            planes, rows, columns = self._patterns.counted.slices
            inside = (slice(planes.start + part.start, planes.start + part.stop), rows, columns)
            labels = np.stack([one[inside].astype(np.float64) for one in prior], axis=-1)
            background = np.maximum(0.0, 1.0 - labels.sum(axis=-1, keepdims=True))
            prior = np.concatenate([background, labels], axis=-1)
        with np.errstate(divide="ignore"):
            return np.log(prior)


def _sum_of_neighbours(field: np.ndarray, part: slice) -> np.ndarray:
    """The sum over the six face neighbours of a field (classes, k, j, i), for some planes; nothing lies outside."""
    here = field[:, part]
    result = np.zeros(here.shape)
    below = field[:, max(0, part.start - 1) : part.stop - 1]
    result[:, here.shape[1] - below.shape[1] :] += below
    above = field[:, part.start + 1 : part.stop + 1]
    result[:, : above.shape[1]] += above
    result[:, :, 1:] += here[:, :, :-1]
    result[:, :, :-1] += here[:, :, 1:]
    result[..., 1:] += here[..., :-1]
    result[..., :-1] += here[..., 1:]
    return result
