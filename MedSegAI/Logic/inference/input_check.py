"""Whether a scan is what a model's card asks for."""

from __future__ import annotations

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.volume import Modality, Unit, Volume


def check_input(volume: Volume, card: ModelCard, *, reporter: Reporter) -> None:
    """Refuse a scan of another modality or unit than the card's; say so where the scan does not tell its own.

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
