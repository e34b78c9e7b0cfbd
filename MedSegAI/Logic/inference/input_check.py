"""Whether scans are what a model's card asks for."""

from __future__ import annotations

import itertools

import numpy as np

from MedSegAI.Logic.align.check import Fit, check_spaces
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Triple
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.models.card import ModelCard, ModelInput
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.standardise.resample import canonical_grid
from MedSegAI.Logic.volume import Modality, Unit, Volume

# Seen on a real head of 0.9 mm: at 2 mm its hippocampi keep 0.95 of their volume, in slices of 4 mm 0.83.
_COARSE = 2.5


def check_input(case: InputScans, card: ModelCard, *, reporter: Reporter) -> None:
    """Refuse scans of another modality or unit than the card's, that do not lie in one space, or one given twice.

    Warns where a scan does not tell its kind, where voxels are coarse or all equal, and of an optional input that is
    missing.

    Raises:
        InputError: naming what the scan is and what the model takes, or what keeps two scans apart.
    """
    for wanted in card.inputs:
        volume = case.by_name.get(wanted.name)
        if volume is None:
            reporter.message(f"There is no {wanted.name} scan: '{card.name}' does without it.")
            continue
        check_kind(volume.name, volume.modality, volume.unit, wanted=wanted, model_name=card.name)
        if volume.modality is Modality.UNKNOWN:
            reporter.message(
                f"'{volume.name}' does not say what kind of scan it is; taken for {wanted.modality.value}."
            )
        _warn_of_coarse_voxels(volume, card, reporter)
        _warn_of_one_value(volume, reporter)
    check_together(case)
    _refuse_the_same_twice(case)


def check_together(case: InputScans) -> None:
    """Refuse scans of which nothing says that they lie in one space.

    Raises:
        InputError: naming the two scans and what keeps them apart.
    """
    for found in check_spaces(tuple(case.by_name.values()), case.on):
        if found.fit is not Fit.FIT:
            raise InputError(found.sentence, advice=found.advice)


def _refuse_the_same_twice(case: InputScans) -> None:
    for (name, scan), (other, twin) in itertools.combinations(case.by_name.items(), 2):
        if scan.array.shape == twin.array.shape and _are_equal(scan.array, twin.array):
            raise InputError(
                f"The scans for {name} and {other} are one and the same: every voxel is equal.",
                advice="Choose for each input the scan that it is meant for.",
            )


def _are_equal(one: np.ndarray, other: np.ndarray) -> bool:
    a_few = (slice(None, None, 8),) * 3
    return np.array_equal(one[a_few], other[a_few]) and np.array_equal(one, other)


def check_kind(name: str, modality: Modality, unit: Unit, *, wanted: ModelInput, model_name: str) -> None:
    """Refuse a kind of scan that is not the wanted one; one that does not tell its kind passes.

    Args:
        name: What the user calls the scan.
        modality: What was measured.
        unit: Unit of its voxels.
        wanted: The input of the model's card that it is meant for.
        model_name: Name of the model, for the sentence.

    Raises:
        InputError: naming what the scan is and what the model takes.
    """
    if modality not in (Modality.UNKNOWN, wanted.modality):
        raise InputError(
            f"'{name}' is a {modality.value} scan; '{model_name}' takes {wanted.modality.value} ({wanted.name}).",
            advice="Choose a model for this kind of scan, or the right scan.",
        )
    if Unit.ARBITRARY not in (wanted.unit, unit) and unit is not wanted.unit:
        raise InputError(
            f"'{name}' is in {unit.value}; '{model_name}' takes {wanted.unit.value}.",
            advice=f"Convert the scan to {wanted.unit.value} first.",
        )


def _warn_of_coarse_voxels(volume: Volume, card: ModelCard, reporter: Reporter) -> None:
    own = canonical_grid(volume.grid).spacing
    if any(mine > _COARSE * wanted for mine, wanted in zip(own, card.spacing_mm)):
        reporter.message(
            f"The voxels of '{volume.name}' are {_in_mm(own)}, those that '{card.name}' works on "
            f"{_in_mm(card.spacing_mm)}: look closely at the result, it may miss much."
        )


def _warn_of_one_value(volume: Volume, reporter: Reporter) -> None:
    first = volume.array[0]
    # Most scans are told apart by their first plane; a scan that stays in its file is not read for this.
    if np.ptp(first) == 0 and isinstance(volume.array, np.ndarray) and np.ptp(volume.array) == 0:
        reporter.message(
            f"Every voxel of '{volume.name}' is {first.flat[0]:g}: there is nothing in it, and whatever is found is "
            "wrong."
        )


def _in_mm(spacing: Triple) -> str:
    return " x ".join(f"{value:.3g}" for value in spacing) + " mm"
