"""How the voxels of one region are clipped and rescaled: measured once, then applied to any part of the region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.standardise.streamed_percentiles import streamed_percentiles

KINDS = ("none", "z_score", "range")
_PIECE = 1 << 20
Pieces = Callable[[], Iterable[np.ndarray]]
"""Gives the region's voxels, float32 and finite, a contiguous piece after the other in C order; asked several times."""


@dataclass(frozen=True)
class IntensityScale:
    """What is done to each voxel.

    Args:
        limits: Lowest and highest value that are kept; None: no clipping.
        offset: Subtracted from the clipped voxel.
        spread: The rest is divided by it; 0 gives zeros, None leaves the clipped voxel as it is.
    """

    limits: tuple[float, float] | None = None
    offset: float = 0.0
    spread: float | None = None

    def apply(self, voxels: np.ndarray) -> None:
        """Clip and rescale float32 voxels of any shape in place."""
        self.clip(voxels)
        self.rescale(voxels)

    def clip(self, voxels: np.ndarray) -> None:
        """Clip in place."""
        if self.limits is not None:
            np.clip(voxels, *self.limits, out=voxels)

    def rescale(self, voxels: np.ndarray) -> None:
        """Rescale clipped voxels in place."""
        if self.spread is None:
            return
        if self.spread == 0:
            voxels[...] = 0
            return
        voxels -= np.float32(self.offset)
        voxels /= np.float32(self.spread)


def refuse_unknown(rule: Normalisation) -> None:
    """Raise ModelError for a kind of normalisation that this version does not know."""
    if rule.kind not in KINDS:
        raise ModelError(
            f"This version of MedSegAI has no intensity normalisation '{rule.kind}'.",
            advice=f"It has: {', '.join(KINDS)}. Update MedSegAI, or mend the model's card.",
        )


def refuse_not_finite(voxels: np.ndarray) -> None:
    """Raise InputError where a voxel is NaN or infinite."""
    if not np.all(np.isfinite(voxels)):
        raise InputError(
            "The image holds voxels that are not numbers (NaN or infinite).",
            advice="Export it again, or replace these voxels by the background value.",
        )


def measured_limits(
    rule: Normalisation, percentiles: Callable[[tuple[float, float]], tuple[float, float]]
) -> tuple[float, float] | None:
    """The limits to clip to; ``percentiles`` gives two of the region's, and is asked only where the rule wants them.

    Raises:
        ModelError: for limits that are not in order.
    """
    if rule.clip_values is not None:
        low, high = rule.clip_values
    elif rule.clip_percentiles is not None:
        low, high = rule.clip_percentiles
        if not 0 <= low <= high <= 100:
            raise ModelError(
                f"The percentiles {low} and {high} are not limits to clip to.",
                advice="Give two values from 0 to 100, the lower first.",
            )
        low, high = percentiles((low, high))
    else:
        return None
    if low > high:
        raise ModelError(f"The limits {low} and {high} are not in order.", advice="Give the lower one first.")
    return float(low), float(high)


def measured_scale(
    rule: Normalisation, limits: tuple[float, float] | None, clipped: Pieces, *, count: int
) -> IntensityScale:
    """The scale of a region from its voxels, which are already clipped to ``limits``.

    Args:
        rule: The card's normalisation.
        limits: As :func:`measured_limits` gave them.
        clipped: The region's voxels; not asked for where the rule needs no statistics of them.
        count: Number of voxels.
    """
    if rule.kind == "none":
        return IntensityScale(limits)
    if rule.kind == "z_score":
        offset, spread = _mean_and_deviation(clipped, count)
    else:
        offset, top = rule.clip_values or _lowest_and_highest(clipped)
        spread = top - offset
    # A constant image has a spread of rounding errors only; dividing by it would turn them into signal.
    if spread <= 1e-6 * max(abs(offset), 1e-6):
        return IntensityScale(limits, 0.0, 0.0)
    return IntensityScale(limits, offset, spread)


def scale_of_pieces(rule: Normalisation, pieces: Pieces, *, count: int) -> IntensityScale:
    """The scale of a region that is never in memory as a whole; the same numbers as those of the whole region.

    The voxels are gone through twice for percentiles, twice for a mean and deviation, once for a lowest and highest
    value, and not at all where the rule names fixed values.

    Raises:
        ModelError: for a kind this version does not know, or limits that are not in order.
    """
    refuse_unknown(rule)
    limits = measured_limits(rule, lambda percents: streamed_percentiles(pieces, percents, count=count))

    def clipped() -> Iterator[np.ndarray]:
        for piece in pieces():
            yield piece if limits is None else np.clip(piece, *limits)

    return measured_scale(rule, limits, clipped, count=count)


def _lowest_and_highest(pieces: Pieces) -> tuple[float, float]:
    ends = np.array([(piece.min(), piece.max()) for piece in pieces()], dtype=np.float32)
    return float(ends[:, 0].min()), float(ends[:, 1].max())


def _mean_and_deviation(pieces: Pieces, count: int) -> tuple[float, float]:
    """Mean and standard deviation in float64, a piece at a time: a float64 copy of a whole CT would be gigabytes."""
    mean = sum(float(part.sum(dtype=np.float64)) for part in _even_parts(pieces(), count)) / count
    squares = sum(float(np.square(part.astype(np.float64) - mean).sum()) for part in _even_parts(pieces(), count))
    return mean, (squares / count) ** 0.5


def _even_parts(pieces: Iterable[np.ndarray], count: int) -> Iterator[np.ndarray]:
    """The voxels in parts whose borders depend on ``count`` alone, so that sums do not depend on the pieces."""
    parts = max(1, count // _PIECE)
    lengths = [count // parts + (number < count % parts) for number in range(parts)]
    flat = (piece.ravel() for piece in pieces)
    waiting = next(flat)
    for length in lengths:
        found = [waiting[:length]]
        waiting = waiting[length:]
        missing = length - len(found[0])
        while missing:
            piece = next(flat)
            found.append(piece[:missing])
            waiting = piece[missing:]
            missing -= len(found[-1])
        yield found[0] if len(found) == 1 else np.concatenate(found)
