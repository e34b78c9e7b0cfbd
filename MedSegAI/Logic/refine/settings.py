"""How a label is refined from strokes: the method, and how far and how strongly a stroke works."""

from __future__ import annotations

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
    """What a refinement may do. The defaults were chosen on training cases of ``Testing/Benchmarks/refinement.py``.

    Args:
        reach_mm: A voxel farther than this from every stroke keeps its label, mm.
        pull: What a stroke's neighbourhood says for the stroke, in log-odds; it fades with the distance.
        pull_mm: Distance from a stroke at which its pull has fallen to 0.6, mm.
        label_per_mm: What the present label says for itself, in log-odds for each mm that a voxel lies inside its
            border; it is nothing at a stroke, and full at ``reach_mm`` from it.
        keep: What the present label says for itself wherever a voxel lies, in log-odds; from nothing to full likewise.
        intensity: Weight of the image's brightness, 0 to leave it out.
        probability: Weight of the network's probability, where one is given.
        smoothness: What a border between two like voxels costs; borders along an edge of the image cost less.
        largest_box: Most voxels that the box around the strokes and their reach may hold; it bounds time and memory.

    Raises:
        InputError: for a value outside its range; says which.
    """

    reach_mm: float = 10.0
    pull: float = 4.0
    pull_mm: float = 3.0
    label_per_mm: float = 1.0
    keep: float = 2.0
    intensity: float = 1.0
    probability: float = 1.0
    smoothness: float = 2.0
    largest_box: int = 500_000

    def __post_init__(self) -> None:
        for name in ("reach_mm", "pull_mm", "largest_box"):
            if not getattr(self, name) > 0:
                raise InputError(
                    f"The {name} of a refinement is {getattr(self, name)}.", advice="Choose a number above 0."
                )
        for name in ("pull", "label_per_mm", "keep", "intensity", "probability", "smoothness"):
            if not getattr(self, name) >= 0:
                raise InputError(f"The {name} of a refinement is {getattr(self, name)}.", advice="Choose 0 or more.")
