"""The factor that turns the stored values of a PET image into SUV, for every unit that PET images are stored in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.pet.body_size import FORMULAE, BodySize, size_of
from MedSegAI.Logic.standardise.pet.decay import decayed_doses
from MedSegAI.Logic.standardise.pet.pet_image import TAGS, PetImage, missing, unusable
from MedSegAI.Logic.volume import Unit

_SUV_UNITS = {
    BodySize.WEIGHT: Unit.SUV_BODY_WEIGHT,
    BodySize.SURFACE: Unit.SUV_BODY_SURFACE,
    BodySize.LEAN_JANMAHASATIAN: Unit.SUV_LEAN_BODY_MASS,
    BodySize.LEAN_JAMES: Unit.SUV_LEAN_BODY_MASS,
    BodySize.LEAN_MORGAN: Unit.SUV_LEAN_BODY_MASS,
}


@dataclass(frozen=True)
class SuvFactors:
    """How the values of a series become SUV.

    Args:
        factors: One for each image, in the images' order; multiplies the values after the rescale slope.
        how: Where the factors come from, in plain words, as a part of a sentence.
        figures: What they were computed from, by name with its unit; of the first image.
    """

    factors: tuple[float, ...]
    how: str
    figures: Mapping[str, float] = field(default_factory=dict)


def stored_unit(image: PetImage) -> Unit:
    """The unit that a PET image's values have as they are stored; ARBITRARY where the header does not say it.

    A header in g/mL without SUV Type means body weight (DICOM PS3.3 C.8.9.1).
    """
    units = image.text("Units").upper()
    plain = {"BQML": Unit.ACTIVITY, "CNTS": Unit.COUNTS, "CM2ML": Unit.SUV_BODY_SURFACE}
    if units != "GML":
        return plain.get(units, Unit.ARBITRARY)
    try:
        return _SUV_UNITS[BodySize(image.text("SUVType").upper() or "BW")]
    except ValueError:
        return Unit.ARBITRARY


def suv_unit(size: BodySize) -> Unit:
    """The unit of SUV by this size."""
    return _SUV_UNITS[size]


def suv_factors(images: Sequence[PetImage], wanted: BodySize) -> SuvFactors:
    """The factors to SUV by ``wanted`` for the images of one series.

    Raises:
        InputError: where a tag that is needed is missing, unusable or contradicts another; names it.
    """
    units = {image.text("Units").upper() for image in images}
    if len(units) > 1:
        raise InputError(
            f"The images differ in their {TAGS['Units']}: {', '.join(sorted(units))}.", advice="Read one series."
        )
    unit = units.pop()
    if not unit:
        raise missing("Units")
    ways: dict[str, Callable[[Sequence[PetImage], BodySize], SuvFactors]] = {
        "BQML": _of_activity,
        "CNTS": _of_philips_counts,
        "GML": _of_suv,
        "CM2ML": _of_suv,
    }
    if unit not in ways:
        raise InputError(
            f"SUV cannot be computed from values whose {TAGS['Units']} is '{unit}'.",
            advice="It takes BQML, GML, CM2ML, or CNTS of a Philips scanner.",
        )
    return ways[unit](images, wanted)


def _of_activity(images: Sequence[PetImage], wanted: BodySize) -> SuvFactors:
    _refuse_uncorrected(images)
    doses = decayed_doses(images)
    sizes = [size_of(image, wanted) for image in images]
    first = doses[0]
    decay = f" decayed for {first.seconds:.0f} s" if first.seconds else ""
    figures = {
        "dose_bq": images[0].needed("RadionuclideTotalDose"),
        "decayed_dose_bq": first.dose_bq,
        "decay_s": first.seconds,
        **_size_figures(images[0], wanted),
    }
    how = (
        f"from Bq/mL, {FORMULAE[wanted]} and the dose of {figures['dose_bq'] / 1e6:.1f} MBq{decay} ({first.reference})"
    )
    return SuvFactors(tuple(size / dose.dose_bq for size, dose in zip(sizes, doses)), how, figures)


def _of_philips_counts(images: Sequence[PetImage], wanted: BodySize) -> SuvFactors:
    """Philips stores counts, and beside them, in private tags, the factor to SUVbw or else the factor to Bq/mL."""
    scales = [image.number("PhilipsSUVScaleFactor") for image in images]
    if all(scales):
        _refuse_uncorrected(images)
        ratio = _ratio(images[0], BodySize.WEIGHT, wanted)
        how = f"from counts by {TAGS['PhilipsSUVScaleFactor']}{_by_ratio(BodySize.WEIGHT, wanted)}"
        return SuvFactors(tuple(scale * ratio for scale in scales), how, _size_figures(images[0], wanted))
    activity = [image.number("PhilipsActivityScaleFactor") for image in images]
    if not all(activity):
        raise missing("PhilipsSUVScaleFactor", "PhilipsActivityScaleFactor")
    found = _of_activity(images, wanted)
    how = f"from counts by {TAGS['PhilipsActivityScaleFactor']}, then {found.how}"
    return SuvFactors(tuple(f * scale for f, scale in zip(found.factors, activity)), how, found.figures)


def _of_suv(images: Sequence[PetImage], wanted: BodySize) -> SuvFactors:
    """Values that are SUV already, by the same size or by another."""
    stored = {_stored_size(image) for image in images}
    if len(stored) > 1:
        raise InputError(f"The images differ in their {TAGS['SUVType']}.", advice="Read one series.")
    size = stored.pop()
    how = f"from the SUV that the scanner stored, by {FORMULAE[size]}{_by_ratio(size, wanted)}"
    ratio = _ratio(images[0], size, wanted)
    return SuvFactors((ratio,) * len(images), how, {} if size is wanted else _size_figures(images[0], wanted))


def _stored_size(image: PetImage) -> BodySize:
    is_area = image.text("Units").upper() == "CM2ML"
    stated = image.text("SUVType").upper() or ("BSA" if is_area else "BW")
    try:
        size = BodySize(stated)
    except ValueError as error:
        raise unusable("SUVType", stated) from error
    if (size is BodySize.SURFACE) != is_area:
        raise InputError(
            f"The header contradicts itself: {TAGS['Units']} is '{image.text('Units')}', and {TAGS['SUVType']} is "
            f"'{stated}'.",
            advice="No number was guessed. Take the original series from the scanner or the archive.",
        )
    return size


def _ratio(image: PetImage, stored: BodySize, wanted: BodySize) -> float:
    return 1.0 if stored is wanted else size_of(image, wanted) / size_of(image, stored)


def _by_ratio(stored: BodySize, wanted: BodySize) -> str:
    return "" if stored is wanted else f", brought to {FORMULAE[wanted]}"


def _size_figures(image: PetImage, wanted: BodySize) -> dict[str, float]:
    """The weight and the size it gave; only what the header says."""
    weight = image.number("PatientWeight")
    if weight is None:
        return {}
    if wanted is BodySize.WEIGHT:
        return {"weight_kg": weight}
    size = size_of(image, wanted)
    return {"weight_kg": weight} | (
        {"body_surface_cm2": size} if wanted is BodySize.SURFACE else {"lean_body_mass_kg": size / 1000}
    )


def _refuse_uncorrected(images: Sequence[PetImage]) -> None:
    for image in images:
        corrections = image.texts("CorrectedImage")
        if not corrections:
            raise missing("CorrectedImage")
        if "ATTN" not in corrections:
            raise InputError(
                f"The values are not corrected for attenuation: {TAGS['CorrectedImage']} does not list ATTN.",
                advice="Choose the series that was corrected; SUV means nothing without.",
            )
