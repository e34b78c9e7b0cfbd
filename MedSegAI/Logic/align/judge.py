"""Whether an alignment can be trusted: figures, and the rule that makes a plain word of them.

The limits were set on the pairs of ``Testing/Benchmarks/alignment.py``, MR of heads and one CT. Rightly aligned pairs
(other contrasts of one head, one moved by up to 35 degrees and 50 mm, a crop) had a spread of 0.04 to 1.5 mm and a
normalised mutual information of 1.19 to 1.75. Wrong ones (other people's heads, mirrored heads, noise, a CT of another
part of the body) had a spread of 1.8 to 29 mm; only heads of other people reached more than 1.14. Which person it is
cannot be seen in this way: such a pair comes out as doubtful.
"""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.align.alignment import AlignmentQuality, Verdict
from MedSegAI.Logic.align.mutual_information import likeness, seen_by
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.volume import Volume

IDENTITY = LinearTransform(tuple(float(value) for value in np.eye(4).ravel()))


MOST_SPREAD_GOOD_MM, MOST_SPREAD_MM = 1.7, 4.0
LEAST_INFORMATION_GOOD, LEAST_INFORMATION = 1.08, 1.04
LEAST_OVERLAP = 0.3
_NO_WORSE = 0.002


def judge(
    transform: LinearTransform,
    reference: Volume,
    moving: Volume,
    *,
    halves: tuple[LinearTransform, LinearTransform],
) -> AlignmentQuality:
    """The figures of an alignment and the word that follows from them.

    Args:
        transform: From LPS mm of the reference to LPS mm of the moving scan.
        reference: The scan that stays, at a few mm.
        moving: The scan that was brought to it, at a few mm.
        halves: What either half of the voxels would have it, see ``register_rigid``.
    """
    before, after = (likeness(reference, moving, one) for one in (IDENTITY, transform))
    points = _points(reference, moving, transform)
    moved = np.linalg.norm(transform.apply(points) - points, axis=-1).mean()
    spread = np.linalg.norm(halves[0].apply(points) - halves[1].apply(points), axis=-1).max()
    verdict = verdict_of(before.information, after.information, overlap=after.overlap, spread_mm=float(spread))
    return AlignmentQuality(
        before.information, after.information, before.overlap, after.overlap, float(moved), float(spread), verdict
    )


def verdict_of(before: float, after: float, *, overlap: float, spread_mm: float) -> Verdict:
    """The plain word.

    Failed: less than 0.3 of the smaller scan overlaps, or the normalised mutual information is below 1.04, or the two
    halves of the voxels disagree by more than 4 mm. Good: the halves agree to 1.7 mm, the information is at least 1.08
    and not less than before. Doubtful: anything between.

    Args:
        before: Normalised mutual information as the scans lay.
        after: The same once aligned.
        overlap: Fraction 0..1 of the smaller scan that lies inside the other once aligned.
        spread_mm: Largest distance between what the halves make of a point.
    """
    if overlap < LEAST_OVERLAP or after < LEAST_INFORMATION or spread_mm > MOST_SPREAD_MM:
        return Verdict.FAILED
    surer = after >= max(LEAST_INFORMATION_GOOD, before - _NO_WORSE)
    return Verdict.GOOD if surer and spread_mm <= MOST_SPREAD_GOOD_MM else Verdict.DOUBTFUL


def _points(reference: Volume, moving: Volume, transform: LinearTransform) -> np.ndarray:
    """LPS mm (n, 3) of the bright voxels of the reference that the moving scan sees."""
    seen = seen_by(moving.grid, reference.grid, transform) & (reference.array > reference.array.mean())
    if not seen.any():
        return reference.grid.corners_lps()
    return reference.grid.lps_of(np.argwhere(seen)[:: max(1, np.count_nonzero(seen) // 5000)])
