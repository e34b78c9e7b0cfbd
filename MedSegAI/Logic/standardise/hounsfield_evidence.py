"""Whether a CT's values are Hounsfield units, told from its histogram.

Hounsfield units put air at -1000 and water at 0 (Hounsfield 1973), so air outside of the body, lung, fat (about -100)
and soft tissue (0 to 90: brain, blood, muscle, liver) have known places in the histogram of any CT. Files that lost
their rescale intercept have the same peaks shifted, mostly by 1024 or 1000.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from MedSegAI.Logic.standardise.ct_histogram import Histogram, Peak, histogram_of
from MedSegAI.Logic.standardise.sampled_voxels import sampled
from MedSegAI.Logic.standardise.step_checks import require_numbers
from MedSegAI.Logic.volume import Unit, Volume

AIR = -1000.0
SOFT_TISSUE = 45.0
USUAL_SHIFTS = (-1024.0, -1000.0)
_AIR_RANGE = (-1100.0, -900.0)
_SOFT_RANGE = (0.0, 90.0)
_LUNG_RANGE = (-900.0, -700.0)
_FAT_RANGE = (-140.0, -60.0)
_AIR_TO_SOFT = (900.0, 1190.0)


class HounsfieldVerdict(str, Enum):
    """What the histogram says of a CT's values."""

    YES = "yes"
    SHIFTED = "shifted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class HounsfieldEvidence:
    """What was seen in a CT's histogram, and what follows from it.

    Args:
        verdict: Whether the values are HU, would be HU after a shift, or cannot be told.
        sentence: What was seen and what it means, for a person.
        minimum: Least value of the scan, in its own unit.
        air: Where the air's peak lies, in the scan's own unit; None where none was told.
        soft_tissue: The same for soft tissue.
        shift: What must be added to the values to make them HU: 0 where they are; None where it cannot be told.
    """

    verdict: HounsfieldVerdict
    sentence: str
    minimum: float
    air: float | None
    soft_tissue: float | None
    shift: float | None


def hounsfield_evidence(volume: Volume) -> HounsfieldEvidence:
    """Look at a CT's histogram and tell whether its values are Hounsfield units.

    A header that says HU is believed where the histogram shows too little to tell, and not where it shows a shift.

    Raises:
        InputError: for a constant scan, or voxels that are not numbers.
    """
    low, high = require_numbers(volume)
    histogram = histogram_of(sampled(volume.array))
    as_it_is = _hounsfield_as_it_is(histogram, low)
    if as_it_is is not None:
        return as_it_is
    shifted = _shifted(histogram, low)
    if shifted is not None:
        return shifted
    seen = f"values run from {low:g} to {high:g}, and {_peaks_in_words(histogram)}"
    if volume.unit is Unit.HOUNSFIELD:
        return HounsfieldEvidence(
            HounsfieldVerdict.YES, f"The header says Hounsfield units; {seen}.", low, None, None, 0.0
        )
    sentence = f"Whether these are Hounsfield units cannot be told: {seen}, where HU would have air near -1000 and "
    return HounsfieldEvidence(HounsfieldVerdict.UNKNOWN, f"{sentence}soft tissue near 0 to 90.", low, None, None, None)


def _hounsfield_as_it_is(histogram: Histogram, low: float) -> HounsfieldEvidence | None:
    soft = histogram.strongest(*_SOFT_RANGE)
    air = histogram.strongest(*_AIR_RANGE) or _cut_off_air(histogram)
    lung, fat = histogram.strongest(*_LUNG_RANGE), histogram.strongest(*_FAT_RANGE)
    if soft is None or low >= 0 or (air is None and lung is None and fat is None):
        return None
    seen = [("air", air), ("lung", lung), ("fat", fat), ("soft tissue", soft)]
    words = ", ".join(f"{name} {peak.value:.0f}" for name, peak in seen if peak is not None)
    sentence = f"The values are Hounsfield units: peaks at {words}; minimum {low:g}."
    return HounsfieldEvidence(HounsfieldVerdict.YES, sentence, low, _value(air), soft.value, 0.0)


def _cut_off_air(histogram: Histogram) -> Peak | None:
    """Air without noise, as where all below -1000 or -1024 was cut off."""
    return next((spike for spike in histogram.fill if -1030 <= spike.value <= -990), None)


def _shifted(histogram: Histogram, low: float) -> HounsfieldEvidence | None:
    """A shift that puts both air and soft tissue into their places: a usual one, else the one that air asks for."""
    best: tuple[float, float, Peak, Peak] | None = None
    for air in histogram.peaks:
        soft = histogram.strongest(air.value + _AIR_TO_SOFT[0], air.value + _AIR_TO_SOFT[1])
        if soft is None:
            continue
        for shift in (*USUAL_SHIFTS, round(AIR - air.value)):
            if not (_within(air.value + shift, _AIR_RANGE) and _within(soft.value + shift, _SOFT_RANGE)):
                continue
            off = abs(air.value + shift - AIR) + abs(soft.value + shift - SOFT_TISSUE)
            off += 0.0 if shift in USUAL_SHIFTS else 25.0
            weight = off / (air.share * soft.share)
            if best is None or weight < best[0]:
                best = weight, float(shift), air, soft
    if best is None:
        return None
    _, shift, air, soft = best
    sentence = (
        f"The values are not Hounsfield units: air lies at {air.value:.0f} instead of -1000 and soft tissue at "
        f"{soft.value:.0f} instead of 0 to 90; minimum {low:g}. Adding {shift:g} would make them HU (air "
        f"{air.value + shift:.0f}, soft tissue {soft.value + shift:.0f})."
    )
    return HounsfieldEvidence(HounsfieldVerdict.SHIFTED, sentence, low, air.value, soft.value, shift)


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _peaks_in_words(histogram: Histogram) -> str:
    largest = sorted(sorted(histogram.peaks, key=lambda peak: -peak.share)[:3], key=lambda peak: peak.value)
    if not largest:
        return "no tissue's peak stands out"
    return "peaks lie at " + ", ".join(f"{peak.value:.0f}" for peak in largest)


def _value(peak: Peak | None) -> float | None:
    return None if peak is None else peak.value
