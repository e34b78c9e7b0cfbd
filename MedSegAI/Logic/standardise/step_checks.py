"""What every step asks of its settings, and of a scan before it touches it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.step import Step
from MedSegAI.Logic.volume import Modality, Unit, Volume

_NAMES = {Modality.CT: "a CT", Modality.MR: "an MR", Modality.PET: "a PET"}
_UNITS = {
    Unit.HOUNSFIELD: Modality.CT,
    Unit.SUV_BODY_WEIGHT: Modality.PET,
    Unit.SUV_LEAN_BODY_MASS: Modality.PET,
    Unit.SUV_BODY_SURFACE: Modality.PET,
    Unit.ACTIVITY: Modality.PET,
}


def require_number_settings(step: Step) -> None:
    """Refuse a text, or nothing, where a step's setting is a number.

    Raises:
        ValueError: for a setting declared as float that is no finite number, or as int that is no whole one.
    """
    for field in fields(step):
        value = getattr(step, field.name)
        if field.type == "int" and (isinstance(value, bool) or not isinstance(value, int)):
            raise ValueError(f"'{field.name}' is {value!r}, and must be a whole number")
        if field.type == "float":
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not number or not np.isfinite(value):
                raise ValueError(f"'{field.name}' is {value!r}, and must be a number")


def require_kind(volume: Volume, step: Step | type[Step]) -> None:
    """Refuse a scan of a kind that the step is not meant for; the unit tells where the kind is not known.

    Raises:
        InputError: for a scan of another kind.
    """
    kind = _UNITS.get(volume.unit) if volume.modality is Modality.UNKNOWN else volume.modality
    if kind is None or kind in step.modalities:
        return
    meant = " or ".join(_NAMES[one] for one in step.modalities)
    raise InputError(
        f"'{volume.name}' is {_NAMES[kind]} scan, and '{step.title}' is meant for {meant} scan.",
        advice="Choose another step, or another scan.",
    )


def require_numbers(volume: Volume) -> tuple[float, float]:
    """The least and the greatest value of a scan whose voxels are all numbers and not all the same.

    Raises:
        InputError: for a constant scan, and for voxels that are NaN or infinite.
    """
    low, high = float(volume.array.min()), float(volume.array.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise InputError(
            f"'{volume.name}' holds voxels that are not numbers (NaN or infinite).",
            advice="Export it again, or replace these voxels by the background value.",
        )
    if low == high:
        raise InputError(
            f"All voxels of '{volume.name}' have the same value, {low:g}.", advice="Choose a scan that shows something."
        )
    return low, high
