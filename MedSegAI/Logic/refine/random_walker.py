"""The chance that a walk from each voxel ends at the label, by one sparse linear system."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

from MedSegAI.Logic.refine.neighbours import Neighbours

_TOLERANCE = 1e-4
_MOST_STEPS = 500


def random_walker(
    log_odds: np.ndarray, pairs: Neighbours, known: np.ndarray, free: np.ndarray, *, smoothness: float
) -> np.ndarray:
    """The free voxels from which a random walk ends inside the label more often than not (Grady, CVPR 2005).

    A walk steps to a neighbour with a chance that grows with its likeness, and ends at voxels whose label is fixed, or
    at the prior: each voxel's log-odds as a probability. SciPy's conjugate gradients solve for the chances.

    Args:
        log_odds: Evidence for the label, float (k, j, i).
        pairs: The neighbours.
        known: bool (k, j, i), the label of the voxels that are not free.
        free: bool (k, j, i).
        smoothness: Weight of the neighbours against that of the prior.

    Returns:
        bool (k, j, i): ``known`` with the free voxels decided.
    """
    count = int(np.count_nonzero(free))
    if count == 0:
        return known.copy()
    number = np.full(free.size, -1)
    number[free.ravel()] = np.arange(count)
    weight = smoothness * pairs.likeness + 1e-6
    prior = 1.0 / (1.0 + np.exp(-log_odds[free].astype(float)))
    diagonal, right = np.ones(count), prior.copy()
    values = known.ravel().astype(float)
    for here, there in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
        mine = number[here] >= 0
        diagonal += np.bincount(number[here][mine], weights=weight[mine], minlength=count)
        fixed = mine & (number[there] < 0)
        right += np.bincount(number[here][fixed], weights=(weight * values[there])[fixed], minlength=count)
    first, second = number[pairs.first], number[pairs.second]
    both = (first >= 0) & (second >= 0)
    rows, columns = np.concatenate([first[both], second[both]]), np.concatenate([second[both], first[both]])
    links = sparse.csr_matrix((np.tile(-weight[both], 2), (rows, columns)), (count, count))
    system = links + sparse.diags(diagonal, format="csr")
    chance, _ = cg(system, right, x0=prior, rtol=_TOLERANCE, maxiter=_MOST_STEPS, M=sparse.diags(1.0 / diagonal))
    result = known.copy()
    result[free] = chance > 0.5
    return result
