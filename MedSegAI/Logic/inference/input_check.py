"""Whether a scan is what a model's card asks for."""

from __future__ import annotations

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Triple
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.standardise.resample import canonical_grid
from MedSegAI.Logic.volume import Modality, Unit, Volume

# Seen on a real head of 0.9 mm: at 2 mm its hippocampi keep 0.95 of their volume, in slices of 4 mm 0.83.
_COARSE = 2.5


def check_input(volume: Volume, card: ModelCard, *, reporter: Reporter) -> None:
    """Refuse a scan of another modality or unit than the card's; warn where it does not tell or its voxels are coarse.

    Raises:
        InputError: naming what the scan is and what the model takes; or if the model takes several scans.
    """
    if len(card.inputs) != 1:
        wanted = ", ".join(f"{entry.name} ({entry.modality.value})" for entry in card.inputs)
        raise InputError(
            f"'{card.name}' takes {len(card.inputs)} scans at once ({wanted}); one was given.",
            advice="Choose a model with a single input.",
        )
    wanted = card.inputs[0]
    if volume.modality is Modality.UNKNOWN:
        reporter.message(f"'{volume.name}' does not say what kind of scan it is; taken for {wanted.modality.value}.")
    elif volume.modality is not wanted.modality:
        raise InputError(
            f"'{volume.name}' is a {volume.modality.value} scan; '{card.name}' takes {wanted.modality.value} "
            f"({wanted.name}).",
            advice="Choose a model for this kind of scan, or the right scan.",
        )
    if Unit.ARBITRARY not in (wanted.unit, volume.unit) and volume.unit is not wanted.unit:
        raise InputError(
            f"'{volume.name}' is in {volume.unit.value}; '{card.name}' takes {wanted.unit.value}.",
            advice=f"Convert the scan to {wanted.unit.value} first.",
        )
    _warn_of_coarse_voxels(volume, card, reporter)


def _warn_of_coarse_voxels(volume: Volume, card: ModelCard, reporter: Reporter) -> None:
    own = canonical_grid(volume.grid).spacing
    if any(mine > _COARSE * wanted for mine, wanted in zip(own, card.spacing_mm)):
        reporter.message(
            f"The voxels of '{volume.name}' are {_in_mm(own)}, those that '{card.name}' works on "
            f"{_in_mm(card.spacing_mm)}: look closely at the result, it may miss much."
        )


def _in_mm(spacing: Triple) -> str:
    return " x ".join(f"{value:.3g}" for value in spacing) + " mm"
