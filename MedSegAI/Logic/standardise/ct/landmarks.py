"""Where air, fat and soft tissue lie on a CT's own Hounsfield scale."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.ct.histogram import Histogram, Peak, histogram_of
from MedSegAI.Logic.standardise.ct.outside_air import outside_air
from MedSegAI.Logic.standardise.sampled_voxels import sampled
from MedSegAI.Logic.volume import Volume

FAT_HU = -100.0
SOFT_TISSUE_HU = 45.0
_LEAST_AIR = 0.01
_BESIDE_THE_CUT = 10
_LEAST_VALUES = 200


@dataclass(frozen=True)
class CtLandmarks:
    """The peaks that tell a scanner's offset, HU as measured.

    Args:
        air: Peak of the air around the body.
        air_share: The part of all voxels that lies in it, 0..1.
        fat: Peak of fat; None where the scan shows too little.
        soft_tissue: Peak of muscle, blood or brain; None where the scan shows too little.
    """

    air: float
    air_share: float
    fat: float | None
    soft_tissue: float | None

    def witnesses(self) -> tuple[tuple[str, float, float], ...]:
        """Name, measured and usual HU of the tissues that were seen besides air."""
        seen = (("fat", self.fat, FAT_HU), ("soft tissue", self.soft_tissue, SOFT_TISSUE_HU))
        return tuple((name, value, usual) for name, value, usual in seen if value is not None)


def ct_landmarks(volume: Volume, largest: float) -> CtLandmarks:
    """Measure a CT's landmarks.

    Args:
        volume: A CT in HU.
        largest: HU by which air may lie elsewhere than at -1000.

    Raises:
        InputError: if the scan shows no air around the body, or only air that was cut off at one value.
    """
    air = _air(volume, largest)
    whole = histogram_of(sampled(volume.array))
    error = air.value + 1000
    fat = whole.strongest(error - 180, error - 40)
    soft = whole.strongest(error - 40, error + 160)
    return CtLandmarks(air.value, air.share, _value(fat), _value(soft))


def _air(volume: Volume, largest: float) -> Peak:
    """The peak of the air around the body; its share is of all voxels of the scan."""
    values, looked_at = outside_air(volume.array, -1000 + largest + 60)
    if values.size < _LEAST_VALUES:
        raise _no_air(volume, "shows no air around the body")
    histogram = histogram_of(values)
    if _is_cut_off(histogram):
        raise _no_air(volume, f"has its air cut off at {histogram.fill[0].value:.0f} HU")
    peak = histogram.strongest(-1000 - largest, -1000 + largest)
    if peak is None:
        raise _no_air(volume, f"shows no air within {largest:g} HU of -1000 HU around the body")
    share = peak.share * histogram.counts.sum() / looked_at
    if share < _LEAST_AIR:
        raise _no_air(volume, f"shows too little air around the body ({share:.1%} of its voxels)")
    return Peak(peak.value, share)


def _is_cut_off(histogram: Histogram) -> bool:
    """Whether so much of the air became the lowest value that its peak is no longer seen from both sides."""
    if not histogram.fill or histogram.fill[0].value > histogram.start + 1:
        return False
    beside = histogram.counts[1 : 1 + _BESIDE_THE_CUT]
    typical = max(
        (histogram.counts[at : at + _BESIDE_THE_CUT].mean() for at in range(1, histogram.counts.size)), default=0.0
    )
    return beside.size == 0 or beside.mean() > typical / 2


def _no_air(volume: Volume, seen: str) -> InputError:
    return InputError(
        f"The offset of '{volume.name}' cannot be measured: the scan {seen}.",
        advice="Leave out this step, or use the scan before it was cropped or clipped.",
    )


def _value(peak: Peak | None) -> float | None:
    return None if peak is None else peak.value
