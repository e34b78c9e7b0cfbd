"""Where in the body something lies, as DICOM codes it: by the label itself, else by the part that was examined."""

from __future__ import annotations

from MedSegAI.Logic.labels import Code, Label

_ANATOMY = {("SCT", "123037004"), ("SCT", "91723000")}
_SIDES = {"7771000": "L", "24028007": "R", "51440002": "B"}
# Body Part Examined (PS3.16 Annex L): the values that our models meet, and their SNOMED CT codes.
_PARTS = {
    "ABDOMEN": Code("SCT", "818981001", "Abdomen"),
    "BRAIN": Code("SCT", "12738006", "Brain"),
    "BREAST": Code("SCT", "76752008", "Breast"),
    "CHEST": Code("SCT", "816094009", "Chest"),
    "HEAD": Code("SCT", "69536005", "Head"),
    "HEART": Code("SCT", "80891009", "Heart"),
    "KIDNEY": Code("SCT", "64033007", "Kidney"),
    "LIVER": Code("SCT", "10200004", "Liver"),
    "LUNG": Code("SCT", "39607008", "Lung"),
    "NECK": Code("SCT", "45048000", "Neck"),
    "PELVIS": Code("SCT", "816092008", "Pelvis"),
    "PROSTATE": Code("SCT", "41216001", "Prostate"),
    "WHOLEBODY": Code("SCT", "38266002", "Entire body"),
}
_NO_SIDE = "U"


def is_anatomy(label: Label) -> bool:
    """Whether the label's code says that it is a part of the body, rather than something found in it."""
    coded = label.terminology
    return coded is not None and (coded.category.scheme, coded.category.value) in _ANATOMY


def side_of(label: Label) -> Code | None:
    """The side of the body that the label's code names, None where it names none."""
    modifier = None if label.terminology is None else label.terminology.type_modifier
    known = modifier is not None and modifier.scheme == "SCT" and modifier.value in _SIDES
    return modifier if known else None


def anatomic_region(label: Label | None, body_part: str) -> tuple[Code, str] | None:
    """The region and its side: "L", "R", "B" for both, or "U" where it has none; None where nobody says.

    Args:
        label: A structure; its own code is the region where it is anatomy.
        body_part: The series' Body Part Examined, in capitals; may be empty.
    """
    if label is not None and is_anatomy(label):
        side = side_of(label)
        return label.terminology.type, _NO_SIDE if side is None else _SIDES[side.value]
    region = _PARTS.get(body_part)
    return None if region is None else (region, _NO_SIDE)
