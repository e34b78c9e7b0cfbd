"""How a label is refined from strokes: the method, and how far and how strongly a stroke works."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from MedSegAI.Logic.errors import InputError


class RefineMethod(str, Enum):
    """How the border between the strokes is found.

    ``graph-cut`` is the exact minimum of Boykov and Jolly's energy (ICCV 2001), ``random-walker`` Grady's with priors
    (CVPR 2005), ``geodesic`` compares the distances to both kinds of strokes as Criminisi et al. do (GeoS, ECCV 2008).
    """

    GRAPH_CUT = "graph-cut"
    RANDOM_WALKER = "random-walker"
    GEODESIC = "geodesic"


@dataclass(frozen=True)
class RefineSettings:
    """What a refinement may do.

    The defaults are those of the graph cut. They, and the other methods' in :meth:`of`, were chosen on training cases
    of ``Testing/Benchmarks/refinement.py``: T1 MR of 1 mm, hippocampus.

    Args:
        reach_mm: A voxel farther than this from every stroke keeps its label, mm.
        keep: What the present label says for itself, in log-odds: nothing at a stroke, so much at ``reach_mm`` from it,
            in proportion between.
        brightness: Weight of what the image's brightness says, 0 to leave it out.
        probability: Weight of what the network's probability says, where one is given.
        smoothness: What a border between two like voxels costs; borders along an edge of the image cost less.
        largest_box: Most voxels that the box around the strokes and their reach may hold; it bounds time and memory.

    Raises:
        InputError: for a value outside its range; says which.
    """

    reach_mm: float = 13.0
    keep: float = 4.0
    brightness: float = 2.0
    probability: float = 0.5
    smoothness: float = 3.0
    largest_box: int = 500_000

    def __post_init__(self) -> None:
        for name in ("reach_mm", "largest_box"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(
                    f"The {name} of a refinement is {getattr(self, name)}.", advice="Choose a number above 0."
                )
        for name in ("keep", "brightness", "probability", "smoothness"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"The {name} of a refinement is {getattr(self, name)}.", advice="Choose 0 or more.")

    @classmethod
    def of(cls, method: RefineMethod) -> RefineSettings:
        """The settings that were best for a method."""
        return {
            RefineMethod.GRAPH_CUT: cls(),
            RefineMethod.RANDOM_WALKER: cls(keep=8.0, smoothness=1.5),
            RefineMethod.GEODESIC: cls(reach_mm=7.0, keep=16.0),
        }[RefineMethod(method)]
