"""Whether a CT's values are Hounsfield units, told from its histogram.

Hounsfield units put air at -1000 and water at 0, so air outside of the body, lung, fat (about -100) and soft tissue
(0 to 90: brain, blood, muscle, liver) have known places in the histogram of any CT. Files that lost their rescale
intercept have the same peaks shifted, mostly by 1024 or 1000.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from MedSegAI.Logic.standardise.ct.histogram import Histogram, Peak, histogram_of
from MedSegAI.Logic.standardise.sampled_voxels import sampled
from MedSegAI.Logic.standardise.step_checks import require_numbers
from MedSegAI.Logic.volume import Unit, Volume

AIR = -1000.0
SOFT_TISSUE = 45.0
USUAL_SHIFTS = (-1024.0, -1000.0)
_AIR_RANGE = (-1100.0, -900.0)
_SOFT_RANGE = (0.0, 90.0)
_CHEST_WALL_RANGE = (-140.0, 90.0)
_LUNG_RANGE = (-900.0, -700.0)
_FAT_RANGE = (-140.0, -60.0)
_AIR_TO_SOFT = (900.0, 1190.0)
_NO_TISSUE_RANGE = (-650.0, -150.0)
_MOST_ODD = 0.03
_LEAST_AIR = 0.02
_LEAST_SOFT = 0.05
_WIDEST_SOFT = 200.0
_MOST_BELOW_AIR = 0.005
_BETWEEN_LUNG_AND_FAT = (0.002, 0.08)


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
    air = histogram.strongest(*_AIR_RANGE) or _cut_off_air(histogram)
    lung, fat = histogram.strongest(*_LUNG_RANGE), histogram.strongest(*_FAT_RANGE)
    # In a crop of a lung, little but the chest wall's mixture of fat and muscle may be seen beside it.
    soft = histogram.strongest(*_SOFT_RANGE) or (lung and low < AIR + 150 and histogram.strongest(*_CHEST_WALL_RANGE))
    # No tissue has its peak between lung and fat; one there means that the values were scaled.
    odd = histogram.strongest(*_NO_TISSUE_RANGE)
    if soft is None or low >= 0 or (odd and odd.share > _MOST_ODD) or not (air or lung or fat):
        return None
    named = (("air", air), ("lung", lung), ("fat", fat if fat is not soft else None), ("soft tissue", soft))
    words = ", ".join(f"{name} {peak.value:.0f}" for name, peak in named if peak is not None)
    sentence = f"The values are Hounsfield units: peaks at {words}; minimum {low:g}."
    return HounsfieldEvidence(HounsfieldVerdict.YES, sentence, low, _value(air), soft.value, 0.0)


def _cut_off_air(histogram: Histogram) -> Peak | None:
    """Air without noise, as where all below -1000 or -1024 was cut off."""
    return next((spike for spike in histogram.fill if -1030 <= spike.value <= -990), None)


def _shifted(histogram: Histogram, low: float) -> HounsfieldEvidence | None:
    """A shift that puts both air and soft tissue into their places: a usual one, else the one that air asks for."""
    if low < 0 and (histogram.strongest(*_LUNG_RANGE) or histogram.strongest(*_AIR_RANGE)):
        # Lung where lung should be speaks for HU; something else is odd, and a shift would make it worse.
        return None
    pairs = [(air, _soft_tissue_above(histogram, air)) for air in histogram.peaks if air.share >= _LEAST_AIR]
    fits = [
        (_misfit(air, soft, shift), shift, air, soft)
        for air, soft in pairs
        if soft is not None
        for shift in (*USUAL_SHIFTS, float(round(AIR - air.value)))
        if _within(air.value + shift, _AIR_RANGE) and _within(soft.value + shift, _SOFT_RANGE)
    ]
    if not fits:
        return None
    _, shift, air, soft = min(fits, key=lambda fit: fit[0])
    sentence = (
        f"The values are not Hounsfield units: air lies at {air.value:.0f} instead of -1000 and soft tissue at "
        f"{soft.value:.0f} instead of 0 to 90; minimum {low:g}. Adding {shift:g} would make them HU (air "
        f"{air.value + shift:.0f}, soft tissue {soft.value + shift:.0f})."
    )
    return HounsfieldEvidence(HounsfieldVerdict.SHIFTED, sentence, low, air.value, soft.value, shift)


def _soft_tissue_above(histogram: Histogram, air: Peak) -> Peak | None:
    """The soft tissue that belongs to a peak of air, where what lies around the two is as in a CT and in nothing else.

    Nothing but fill values lies below air. Between lung and fat there are few voxels, but there are some, at borders.
    Soft tissue is a narrow peak. An MR scan may have two peaks as far apart, but not all of this.
    """
    soft = histogram.strongest(air.value + _AIR_TO_SOFT[0], air.value + _AIR_TO_SOFT[1])
    if soft is None or soft.share < _LEAST_SOFT or soft.width > _WIDEST_SOFT:
        return None
    below = histogram.share(-math.inf, air.value - 150)
    between = histogram.share(air.value + 400, air.value + 800)
    return soft if below <= _MOST_BELOW_AIR and _within(between, _BETWEEN_LUNG_AND_FAT) else None


def _misfit(air: Peak, soft: Peak, shift: float) -> float:
    """How far the two peaks would lie from where they should; large peaks and usual shifts come first."""
    off = abs(air.value + shift - AIR) + abs(soft.value + shift - SOFT_TISSUE)
    return (off + (0.0 if shift in USUAL_SHIFTS else 25.0)) / (air.share * soft.share)


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _peaks_in_words(histogram: Histogram) -> str:
    largest = sorted(sorted(histogram.peaks, key=lambda peak: -peak.share)[:3], key=lambda peak: peak.value)
    if not largest:
        return "no tissue's peak stands out"
    return "peaks lie at " + ", ".join(f"{peak.value:.0f}" for peak in largest)


def _value(peak: Peak | None) -> float | None:
    return None if peak is None else peak.value
