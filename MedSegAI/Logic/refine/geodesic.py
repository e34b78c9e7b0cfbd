"""Which kind of stroke is nearer along a path through like voxels."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from MedSegAI.Logic.refine.neighbours import Neighbours

_MM_PER_LOG_ODD = 1.0


def geodesic(
    log_odds: np.ndarray, pairs: Neighbours, known: np.ndarray, free: np.ndarray, *, smoothness: float
) -> np.ndarray:
    """The free voxels that are nearer to the inside than to the outside (after GeoS, Criminisi et al., ECCV 2008).

    A path's length is its mm, and ``smoothness`` mm more for each step of brightness as large as the usual one. Paths
    end at voxels whose label is fixed. A voxel's evidence is worth one mm for each log-odd.

    Args:
        log_odds: Evidence for the label, float (k, j, i).
        pairs: The neighbours.
        known: bool (k, j, i), the label of the voxels that are not free.
        free: bool (k, j, i).
        smoothness: What a step of brightness costs, mm.

    Returns:
        bool (k, j, i): ``known`` with the free voxels decided.
    """
    count = int(np.count_nonzero(free))
    if count == 0:
        return known.copy()
    length = pairs.length_mm + smoothness * pairs.step
    number = np.full(free.size, -1)
    number[free.ravel()] = np.arange(count)
    to_inside = _path_lengths(pairs, number, known.ravel(), length, count)
    to_outside = _path_lengths(pairs, number, ~known.ravel(), length, count)
    result = known.copy()
    # Where no path ends at either, there is no stroke to compare and the evidence alone decides.
    with np.errstate(invalid="ignore"):
        nearer = np.nan_to_num(to_outside - to_inside, nan=0.0)
    result[free] = nearer + _MM_PER_LOG_ODD * log_odds[free] > 0
    return result


def _path_lengths(
    pairs: Neighbours, number: np.ndarray, ends: np.ndarray, length: np.ndarray, count: int
) -> np.ndarray:
    """Length in mm of the shortest path from each free voxel to a fixed voxel of ``ends``, float (count)."""
    first, second = number[pairs.first], number[pairs.second]
    both = (first >= 0) & (second >= 0)
    nearest = np.full(count, np.inf)
    for here, there in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
        at_end = (number[here] >= 0) & (number[there] < 0) & ends[there]
        np.minimum.at(nearest, number[here][at_end], length[at_end])
    touching = np.flatnonzero(np.isfinite(nearest))
    # One node more stands for all ends together.
    rows = np.concatenate([first[both], second[both], np.full(touching.size, count)])
    columns = np.concatenate([second[both], first[both], touching])
    graph = sparse.csr_matrix(
        (np.concatenate([length[both], length[both], nearest[touching]]), (rows, columns)), (count + 1, count + 1)
    )
    return csgraph.dijkstra(graph, indices=count)[:count]
