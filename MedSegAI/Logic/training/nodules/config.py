"""Which nodules are learned from, what counts as their true outline, and how clicks miss."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.normalisation import Normalisation


class ReferenceKind(str, Enum):
    """What of several radiologists' outlines is learned.

    STAPLE: their consensus by STAPLE. MAJORITY: what more than half of them drew. ONE_READER: what the first drew.
    RANDOM_READER: each time a nodule is shown, what one of them drew, chosen at random. SOFT: in each voxel the share
    of them who drew it, as a probability.
    """

    STAPLE = "staple"
    MAJORITY = "majority"
    ONE_READER = "one-reader"
    RANDOM_READER = "random-reader"
    SOFT = "soft"


@dataclass(frozen=True)
class NoduleDataConfig:
    """Lung nodules that someone points at, from two sets; fields in common with other kinds as in ``DataKind``.

    Args:
        kind: "nodules".
        folder: Name of the folder, inside what MEDSEGAI_DATA names, that holds both sets; empty: itself.
        labels: The one label, value to name.
        cubes_folder: Set of whole cubes in HU; empty leaves it out.
        slices_folder: Set of the slices that some radiologist marked; empty leaves it out.
        normalisation: Rule of ``Logic/standardise/intensity.py``; only limits in HU make sense here.
        spacing_mm: Spacing (i, j, k) of the model's space.
        reference: A :class:`ReferenceKind` by its value.
        cube_repeats: How often an epoch shows each cube, for every time it shows a nodule of the other set: cubes are
            fewer, and only they show where a nodule ends.
        click_error: Farthest miss of a simulated click, as a share of the way from the nodule's middle to the surface
            of the ellipsoid that fills its bounding box; every share up to it is equally likely.
        truncation: How often known slices are taken away at random from the ends of a nodule of the slices set, so
            that the last slice does not tell where the nodule ends.
        exchange: How often the axes change places at random; else only j and i do.
        edge_margin: Most voxels at each side of the window that are left empty, as at the edge of a region of interest.
    """

    kind: str = "nodules"
    folder: str = ""
    labels: dict[int, str] = field(default_factory=lambda: {1: "nodule"})
    cubes_folder: str = "lidc_cubes_ct"
    slices_folder: str = "lidc_nodules_ct"
    normalisation: Normalisation = field(default_factory=lambda: Normalisation("range", clip_values=(-1000.0, 400.0)))
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    reference: str = ReferenceKind.STAPLE.value
    cube_repeats: int = 6
    click_error: float = 1.0
    truncation: float = 0.5
    exchange: float = 0.3
    edge_margin: int = 4

    def __post_init__(self) -> None:
        kinds = [kind.value for kind in ReferenceKind]
        _need(self.kind == "nodules", f"data.kind is '{self.kind}'", "Write 'nodules'.")
        _need(list(self.labels) == [1], f"data.labels is {self.labels}", "Name one label with the value 1.")
        _need(self.reference in kinds, f"data.reference is '{self.reference}'", f"Choose one of {', '.join(kinds)}.")
        _need(bool(self.cubes_folder or self.slices_folder), "Both sets of data are left out", "Name one folder.")
        _need(self.cube_repeats >= 1, f"data.cube_repeats is {self.cube_repeats}", "Give 1 or more.")
        _need(self.edge_margin >= 0, f"data.edge_margin is {self.edge_margin}", "Give 0 or more voxels.")
        _need(min(self.spacing_mm) > 0, f"data.spacing_mm is {self.spacing_mm}", "Give three positive numbers.")
        for name in ("click_error", "truncation", "exchange"):
            value = getattr(self, name)
            _need(0 <= value <= 1, f"data.{name} is {value}", "Give a number from 0 to 1.")


def _need(condition: bool, problem: str, advice: str) -> None:
    if not condition:
        raise InputError(f"{problem}.", advice=advice)
