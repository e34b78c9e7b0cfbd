"""Where raters disagree, as a map to lay over the scan."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.consensus.consensus import Consensus
from MedSegAI.Logic.volume import Modality, Unit, Volume

DISAGREEMENT_LEGEND = "shows where the raters disagree: entropy of the consensus, 1 where all labels are equally likely"
"""What stands beside every map of disagreement, in every face."""


def disagreement_map(consensus: Consensus, *, name: str = "disagreement") -> Volume:
    """The entropy of the consensus as a part of the largest possible: float32 (k, j, i), 0..1, LPS mm.

    The largest entropy is that of as many equally likely labels as the table has, background included.
    """
    largest = np.log2(len(consensus.table) + 1)
    entropy = consensus.entropy()
    return Volume(
        np.asarray(entropy / np.float32(largest), np.float32), consensus.grid, Modality.UNKNOWN, Unit.ARBITRARY, name
    )
