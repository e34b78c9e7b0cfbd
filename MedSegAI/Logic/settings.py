"""What a user chooses for one run; the parameter node, the web state and the command line wrap it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Triple


class DeviceChoice(str, Enum):
    """Where to compute; ``auto`` takes a GPU that passes its test kernel, else the CPU."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class EngineChoice(str, Enum):
    """What evaluates the network; ``auto`` takes the fastest that gives the same labels here, else torch."""

    AUTO = "auto"
    TORCH = "torch"
    OPENVINO = "openvino"
    OPENVINO_INT8 = "openvino-int8"
    TENSORRT = "tensorrt"

    @property
    def may_change_labels(self) -> bool:
        """Whether labels may be others than torch's: 8 bits need only do well on the cases they were tried on."""
        return self is EngineChoice.OPENVINO_INT8


class ConfidenceChoice(str, Enum):
    """What is kept of the probability of the winning label.

    ``none`` keeps nothing, ``per-label`` one mean a structure (no volume is kept for it), ``per-voxel`` a volume beside
    the labels, and the means.
    """

    NONE = "none"
    PER_LABEL = "per-label"
    PER_VOXEL = "per-voxel"


@dataclass(frozen=True)
class RunSettings:
    """The settings of a segmentation.

    Args:
        device: Where to compute.
        confidence: What to keep of the confidence.
        overlap: Overlap of neighbouring windows, 0 to below 1; None takes the card's.
        region: Region of interest as the user wrote it (see ``Logic/localise/region_of_interest.py``); None finds it.
        batch: Windows computed at once; None takes one on the CPU, and on a GPU what its memory holds.
        points: Places that the user pointed at, each (R, A, S) in mm of the patient; what lies there is segmented.
        engine: What evaluates the network.

    Raises:
        InputError: for a value outside its range; says which and what is allowed.
    """

    device: DeviceChoice = DeviceChoice.AUTO
    confidence: ConfidenceChoice = ConfidenceChoice.NONE
    overlap: float | None = None
    region: str | None = None
    batch: int | None = None
    points: tuple[Triple, ...] = ()
    engine: EngineChoice = EngineChoice.AUTO

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", _member(DeviceChoice, self.device, "device"))
        object.__setattr__(self, "engine", _member(EngineChoice, self.engine, "engine"))
        object.__setattr__(self, "confidence", _member(ConfidenceChoice, self.confidence, "confidence"))
        if self.overlap is not None and not 0 <= self.overlap < 1:
            raise InputError(f"The overlap {self.overlap} is not usable.", advice="Choose a value from 0 to below 1.")
        if self.batch is not None and self.batch < 1:
            raise InputError(f"The batch {self.batch} is not usable.", advice="Choose 1 or more windows at once.")
        object.__setattr__(self, "points", tuple(_point(point) for point in self.points))
        if self.points and self.region is not None:
            raise InputError(
                "A region and points to segment were both given.", advice="Give a region of interest, or points."
            )

    def overlap_or(self, of_model: float) -> float:
        """The overlap of windows that the user chose, else the model's own."""
        return of_model if self.overlap is None else self.overlap

    def batch_or(self, what_fits: int) -> int:
        """The number of windows at once that the user chose, else ``what_fits``."""
        return what_fits if self.batch is None else self.batch

    def to_plain(self) -> dict[str, Any]:
        """The settings as JSON values; ``RunSettings(**plain)`` reads them back."""
        plain = {key: value.value if isinstance(value, Enum) else value for key, value in asdict(self).items()}
        return {**plain, "points": [list(point) for point in self.points]}


def _member(enum: type[Enum], value: object, what: str) -> Enum:
    try:
        return enum(value)
    except ValueError:
        allowed = ", ".join(member.value for member in enum)
        raise InputError(f"There is no {what} '{value}'.", advice=f"Choose one of: {allowed}.") from None


def _point(given: object) -> Triple:
    try:
        point = tuple(float(part) for part in given)
    except (TypeError, ValueError):
        point = ()
    if len(point) != 3 or not all(map(math.isfinite, point)):
        raise InputError(f"The point {given} is not usable.", advice="Give three numbers: R, A, S in mm.")
    return point
