"""The label of least energy between the strokes, by one maximum flow."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from MedSegAI.Logic.refine.neighbours import Neighbours

# Capacities must be whole numbers: log-odds are rounded to a thousandth.
_SCALE = 1000.0
_LARGEST = 2**20


def graph_cut(
    log_odds: np.ndarray, pairs: Neighbours, known: np.ndarray, free: np.ndarray, *, smoothness: float
) -> np.ndarray:
    """The labels of the free voxels that make the energy smallest (Boykov and Jolly, ICCV 2001).

    The energy is the sum of the log-odds against each chosen label, and ``smoothness`` times the likeness of each pair
    of neighbours that get different labels. SciPy's Dinic finds the minimum; where several labels are best, the one
    with the fewest inside voxels is taken.

    Args:
        log_odds: Evidence for the label, float (k, j, i).
        pairs: The neighbours.
        known: bool (k, j, i), the label of the voxels that are not free.
        free: bool (k, j, i).
        smoothness: Weight of the border's cost.

    Returns:
        bool (k, j, i): ``known`` with the free voxels decided.
    """
    count = int(np.count_nonzero(free))
    if count == 0:
        return known.copy()
    number = np.full(free.size, -1)
    number[free.ravel()] = np.arange(count)
    weight = smoothness * pairs.likeness
    for_label = log_odds[free].astype(float)
    for_label += _pull_of_fixed(pairs, number, known, weight, count)
    first, second = number[pairs.first], number[pairs.second]
    both = (first >= 0) & (second >= 0)
    reached = _source_side(for_label, first[both], second[both], weight[both])
    result = known.copy()
    result[free] = reached
    return result


def _pull_of_fixed(
    pairs: Neighbours, number: np.ndarray, known: np.ndarray, weight: np.ndarray, count: int
) -> np.ndarray:
    """What neighbours whose label is fixed say to each free voxel, as log-odds (count)."""
    signs = np.where(known.ravel(), 1.0, -1.0)
    total = np.zeros(count)
    for here, there in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
        to_fixed = (number[here] >= 0) & (number[there] < 0)
        total += np.bincount(number[here][to_fixed], weights=(weight * signs[there])[to_fixed], minlength=count)
    return total


def _source_side(for_label: np.ndarray, first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Which nodes stay with the source when the cheapest cut parts it from the sink, bool (n)."""
    count = for_label.size
    source, sink = count, count + 1
    terminal = np.minimum(np.rint(np.abs(for_label) * _SCALE), _LARGEST).astype(np.int32)
    between = np.minimum(np.rint(weight * _SCALE), _LARGEST).astype(np.int32)
    nodes = np.arange(count)
    of_source = for_label > 0
    rows = np.concatenate([first, second, np.where(of_source, source, nodes)])
    columns = np.concatenate([second, first, np.where(of_source, nodes, sink)])
    capacity = sparse.csr_matrix(
        (np.concatenate([between, between, terminal]), (rows, columns)), (count + 2, count + 2)
    )
    flow = csgraph.maximum_flow(capacity, source, sink).flow
    left = capacity - flow
    left.eliminate_zeros()
    reached = csgraph.breadth_first_order(left, source, return_predecessors=False)
    side = np.zeros(count + 2, dtype=bool)
    side[reached] = True
    return side[:count]
