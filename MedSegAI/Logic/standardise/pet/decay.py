"""How much of the injected dose is left at the moment that a PET image's values refer to.

The order in which the times are tried is that of QIBA's vendor-neutral pseudo-code for SUV (QIBA Profile FDG-PET/CT).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.pet.dicom_times import moment_of
from MedSegAI.Logic.standardise.pet.pet_image import TAGS, PetImage, missing, unusable

# A dynamic scan begins shortly before the injection.
_BEFORE_INJECTION = timedelta(minutes=10)
_DAY = timedelta(days=1)
# By then less than a thousandth of the tracer is left, and nobody takes pictures of it.
_MOST_HALF_LIVES = 12.0
# Beyond it, an injection of which only the time of day is known might have been on another day.
_DAY_IS_CERTAIN_SECONDS = 6 * 3600.0
_LOWEST_DOSE_BQ = 1e5


@dataclass(frozen=True)
class Decayed:
    """The dose that one image's values refer to.

    Args:
        dose_bq: What is left of it.
        seconds: Since the injection; 0 where the values are corrected to the injection itself.
        reference: To which moment the values refer and where that was found, as the end of a sentence.
    """

    dose_bq: float
    seconds: float
    reference: str


def decayed_doses(images: Sequence[PetImage]) -> tuple[Decayed, ...]:
    """What is left of the injected dose when the values of each image were, or are corrected to.

    Raises:
        InputError: where a tag is missing or contradicts another; names it.
    """
    return tuple(_decayed(image, moment, reference) for image, (moment, reference) in zip(images, _references(images)))


def average_count_rate_seconds(half_life: float, duration: float) -> float:
    """When, after its beginning, the activity in a frame is what it was on average; all in seconds."""
    during = math.log(2) / half_life * duration
    # log(during / (1 - exp(-during))) loses its digits for short frames of slow tracers.
    if during < 1e-4:
        return duration * (0.5 - during / 24)
    return duration / during * math.log(during / -math.expm1(-during))


def _references(images: Sequence[PetImage]) -> list[tuple[datetime | None, str]]:
    """The moment each image's values refer to (None: the injection), and where it was found."""
    stated = {_correction(image) for image in images}
    if len(stated) > 1:
        raise InputError(
            f"The images differ in their {TAGS['DecayCorrection']}: {', '.join(sorted(stated))}.",
            advice="Read one series.",
        )
    correction = stated.pop()
    if correction == "ADMIN":
        return [(None, "the values are corrected to the injection")] * len(images)
    if correction == "NONE":
        text = "the values are not corrected for decay, and the average of each frame was taken"
        return [(_middle_of_frame(image), text) for image in images]
    return _starts(images)


def _correction(image: PetImage) -> str:
    """The image's decay correction, once it was found not to contradict the list of corrections."""
    stated = image.text("DecayCorrection").upper()
    if not stated:
        raise missing("DecayCorrection")
    if stated not in ("START", "ADMIN", "NONE"):
        raise unusable("DecayCorrection", stated)
    listed = "DECY" in image.texts("CorrectedImage")
    if listed != (stated != "NONE"):
        raise InputError(
            f"The header contradicts itself: {TAGS['DecayCorrection']} is '{stated}', and {TAGS['CorrectedImage']} "
            f"{'lists' if listed else 'does not list'} the decay correction DECY.",
            advice="No number was guessed. Take the original series from the scanner or the archive.",
        )
    return stated


def _starts(images: Sequence[PetImage]) -> list[tuple[datetime, str]]:
    """When the scan started, to which the values are corrected."""
    given = [image.moment("DecayCorrectionDateTime") for image in images]
    if all(given):
        return [(moment, f"decay correction by {TAGS['DecayCorrectionDateTime']}") for moment in given]
    earliest = min(image.acquired for image in images)
    series = [image.moment_of_pair("Series") for image in images]
    if max(series) <= earliest:
        return [(moment, f"scan start by {TAGS['SeriesTime']}") for moment in series]
    later = f"since {TAGS['SeriesTime']} is later than the acquisition"
    private = [image.moment("GEScanDateTime") for image in images]
    if all(private):
        return [(moment, f"scan start by {TAGS['GEScanDateTime']}, {later}") for moment in private]
    if all(image.number("FrameReferenceTime") and image.number("ActualFrameDuration") for image in images):
        return [(_start_by_frame(image), f"scan start by {TAGS['FrameReferenceTime']}, {later}") for image in images]
    text = f"scan start by the earliest {TAGS['AcquisitionTime']}, {later} and {TAGS['FrameReferenceTime']} is missing"
    return [(earliest, text)] * len(images)


def _middle_of_frame(image: PetImage) -> datetime:
    duration = image.needed("ActualFrameDuration") / 1000
    average = average_count_rate_seconds(image.needed("RadionuclideHalfLife"), duration)
    return image.acquired + timedelta(seconds=average)


def _start_by_frame(image: PetImage) -> datetime:
    """Back from the frame's average to the moment that its reference time counts from."""
    return _middle_of_frame(image) - timedelta(milliseconds=image.needed("FrameReferenceTime"))


def _decayed(image: PetImage, moment: datetime | None, reference: str) -> Decayed:
    dose = image.needed("RadionuclideTotalDose")
    if dose < _LOWEST_DOSE_BQ:
        raise InputError(
            f"The header's {TAGS['RadionuclideTotalDose']} is {dose:g} Bq, too little for any scan.",
            advice="It is probably in MBq, where DICOM wants Bq: have it mended.",
        )
    if moment is None:
        return Decayed(dose, 0.0, reference)
    half_life = image.needed("RadionuclideHalfLife")
    injected, remark = _injected(image, moment, half_life)
    seconds = (moment - injected).total_seconds()
    if seconds > _MOST_HALF_LIVES * half_life or moment - injected < -_BEFORE_INJECTION:
        raise InputError(
            f"The scan would be {seconds / 3600:.1f} h after the injection, {seconds / half_life:.1f} half-lives, "
            f"which cannot be: {TAGS['RadiopharmaceuticalStartTime']} or the times of the scan are wrong.",
            advice="No number was guessed. Take the original series from the scanner or the archive.",
        )
    return Decayed(dose * 2 ** (-seconds / half_life), seconds, reference + remark)


def _injected(image: PetImage, moment: datetime, half_life: float) -> tuple[datetime, str]:
    """When the tracer was injected, and a remark where its date could not be used."""
    stated = image.moment("RadiopharmaceuticalStartDateTime")
    time = image.text("RadiopharmaceuticalStartTime")
    longest = timedelta(seconds=_MOST_HALF_LIVES * half_life)
    if stated is not None and (not time or -_BEFORE_INJECTION <= moment - stated <= max(longest, _DAY)):
        return stated, ""
    if not time:
        raise missing("RadiopharmaceuticalStartDateTime", "RadiopharmaceuticalStartTime")
    if half_life > _DAY_IS_CERTAIN_SECONDS:
        raise InputError(
            f"SUV cannot be computed: with a half-life of {half_life / 3600:.1f} h the day of the injection must be "
            f"known, and the header has no usable {TAGS['RadiopharmaceuticalStartDateTime']}.",
            advice="No number was guessed. Take the original series from the scanner or the archive.",
        )
    try:
        injected = moment_of(moment.strftime("%Y%m%d"), time)
    except ValueError as error:
        raise unusable("RadiopharmaceuticalStartTime", time) from error
    if moment - injected < -_BEFORE_INJECTION:
        injected -= _DAY
    remark = f"; the date in {TAGS['RadiopharmaceuticalStartDateTime']} does not fit the scan's and was left out"
    return injected, remark if stated is not None else ""
