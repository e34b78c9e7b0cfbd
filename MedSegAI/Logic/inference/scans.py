"""The scans of one case that go into one run: each by the name of the model's input that it is meant for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.planes.planes_array import is_on_disk
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.volume import Volume


@dataclass(frozen=True, eq=False)
class InputScans:
    """Several scans of one patient, all in one space, each on a grid of its own.

    What a network is shown is interpolated once, straight from each scan's own voxels, so nobody resamples them first.
    That they lie in one space is checked by :func:`MedSegAI.Logic.inference.input_check.check_input`: scans that were
    not taken in one frame of reference are aligned before (``Logic/align``).

    Args:
        by_name: The scans by the name of the card's input, such as ``{"T1": ..., "FLAIR": ...}``, in any order; an
            optional input that is missing is left out.
        reference: Name of the input on whose grid the result will lie; empty takes the first in the card's order.
    """

    by_name: Mapping[str, Volume]
    reference: str = ""

    def __post_init__(self) -> None:
        if not self.by_name:
            raise InputError("There is no scan to work on.", advice="Choose a scan first.")
        if self.reference and self.reference not in self.by_name:
            raise InputError(
                f"There is no scan '{self.reference}' on whose grid the result could lie.",
                advice=f"Choose one of: {', '.join(self.by_name)}.",
            )

    def for_card(self, card: ModelCard) -> InputScans:
        """The same scans in the order of the card's inputs, with a reference.

        Raises:
            InputError: if the card has no input of some scan's name, or a scan that it needs is missing.
        """
        known = [entry.name for entry in card.inputs]
        unknown = [name for name in self.by_name if name not in known]
        if unknown:
            raise InputError(
                f"'{card.name}' has no input '{unknown[0]}'.", advice=f"It takes: {', '.join(known)}, by these names."
            )
        missing = [entry for entry in card.inputs if entry.name not in self.by_name and not entry.optional]
        if missing:
            raise _missing(card, [entry.name for entry in missing])
        ordered = {name: self.by_name[name] for name in known if name in self.by_name}
        return InputScans(ordered, self.reference or next(iter(ordered)))

    @property
    def on(self) -> Volume:
        """The scan on whose grid the result lies."""
        return self.by_name[self.reference or next(iter(self.by_name))]

    @property
    def grid(self) -> Grid:
        """The grid of the result, LPS mm."""
        return self.on.grid

    @property
    def any_on_disk(self) -> bool:
        """Whether the voxels of some scan are still in their file."""
        return any(is_on_disk(volume) for volume in self.by_name.values())


Scans = Volume | InputScans
"""What a run takes: one scan for a model of one input, or several by name."""


def scans_for(given: Scans, card: ModelCard) -> InputScans:
    """What was given, by name and in the card's order; a lone volume is meant for the card's first input.

    Raises:
        InputError: as :meth:`InputScans.for_card`.
    """
    if isinstance(given, Volume):
        given = InputScans({card.inputs[0].name: given})
    return given.for_card(card)


def _missing(card: ModelCard, names: list[str]) -> InputError:
    wanted = ", ".join(
        f"{entry.name} ({entry.modality.value}{', may be missing' if entry.optional else ''})" for entry in card.inputs
    )
    return InputError(
        f"'{card.name}' takes {len(card.inputs)} scans at once: {wanted}; {' and '.join(names)} "
        f"{'is' if len(names) == 1 else 'are'} missing.",
        advice="Choose a scan for each, or a model that needs fewer.",
    )
