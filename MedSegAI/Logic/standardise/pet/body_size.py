"""The size of a patient that an uptake is related to: weight, lean body mass, body surface."""

from __future__ import annotations

from enum import Enum

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.pet.pet_image import TAGS, PetImage, missing

_HEAVIEST_KG, _TALLEST_M = 700.0, 2.8


class BodySize(str, Enum):
    """What SUV is related to, with DICOM's terms for SUV Type (0054,1006)."""

    WEIGHT = "BW"
    LEAN_JANMAHASATIAN = "LBMJANMA"
    LEAN_JAMES = "LBMJAMES128"
    LEAN_MORGAN = "LBM"
    SURFACE = "BSA"


FORMULAE = {
    BodySize.WEIGHT: "body weight",
    BodySize.LEAN_JANMAHASATIAN: "lean body mass by Janmahasatian et al., Clin Pharmacokinet 44 (2005)",
    BodySize.LEAN_JAMES: "lean body mass by James (1976)",
    BodySize.LEAN_MORGAN: "lean body mass by Morgan and Bray (1994)",
    BodySize.SURFACE: "body surface by Du Bois and Du Bois (1916)",
}


def size_of(image: PetImage, size: BodySize) -> float:
    """The patient's size in g, or in cm^2 for the body surface.

    With W the weight in kg, H the height in cm, B = W / (H / 100)^2:
    Janmahasatian 9270 W / (6680 + 216 B) for men, 9270 W / (8780 + 244 B) for women;
    James 1.10 W - 128 (W / H)^2 for men, 1.07 W - 148 (W / H)^2 for women, Morgan the same with 120 for men;
    Du Bois 71.84 W^0.425 H^0.725 cm^2.

    Raises:
        InputError: where weight, height or sex is missing or not a person's, naming the tag.
    """
    weight = image.needed("PatientWeight")
    if weight > _HEAVIEST_KG:
        raise InputError(
            f"The header's {TAGS['PatientWeight']} is {weight:g} kg, which nobody weighs.",
            advice="It is probably in grams: have it mended.",
        )
    if size is BodySize.WEIGHT:
        return 1000.0 * weight
    height = _height_cm(image)
    if size is BodySize.SURFACE:
        return 71.84 * weight**0.425 * height**0.725
    return 1000.0 * _lean_kg(weight, height, _is_male(image), size)


def _lean_kg(weight: float, height: float, male: bool, size: BodySize) -> float:
    if size is BodySize.LEAN_JANMAHASATIAN:
        mass_index = weight / (height / 100) ** 2
        return 9270 * weight / (6680 + 216 * mass_index if male else 8780 + 244 * mass_index)
    of_men = 128 if size is BodySize.LEAN_JAMES else 120
    lean = 1.10 * weight - of_men * (weight / height) ** 2 if male else 1.07 * weight - 148 * (weight / height) ** 2
    if lean <= 0:
        raise InputError(
            f"The formula of James gives no lean body mass for {weight:g} kg and {height:g} cm.",
            advice="It does not hold for the very obese: choose Janmahasatian's.",
        )
    return lean


def _height_cm(image: PetImage) -> float:
    height = image.needed("PatientSize")
    if height > _TALLEST_M:
        raise InputError(
            f"The header's {TAGS['PatientSize']} is {height:g} m, which nobody is tall.",
            advice="It is probably in centimetres: have it mended.",
        )
    return 100.0 * height


def _is_male(image: PetImage) -> bool:
    sex = image.text("PatientSex").upper()
    if not sex:
        raise missing("PatientSex")
    if sex not in ("M", "F"):
        raise InputError(
            f"The formula for lean body mass is for men and women; the header's {TAGS['PatientSex']} is '{sex}'.",
            advice="Choose SUV by body weight or body surface.",
        )
    return sex == "M"
