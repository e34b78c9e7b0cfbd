"""What reviewers drew, by the numbers of the model's result and of its network."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.corrections.numbering import in_numbering_of
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.standardise.resample import resample_labels


class ReferenceLabels:
    """A reviewed segmentation beside a model; structures that the model does not know count as background."""

    def __init__(self, reviewed: Segmentation, model: Model) -> None:
        self._reviewed, self._model = reviewed, model

    def on_scan(self, table: LabelTable) -> np.ndarray:
        """The labels (k, j, i) uint8 on the scan's grid, in the numbering of a table.

        Raises:
            InputError: if it has none of the table's structures.
        """
        labels = self._reviewed.labels
        values, own = in_numbering_of(labels.array, self._reviewed.table, table)
        known = {label.key for label in table}
        if not known & {label.key for label in own}:
            raise InputError(
                f"'{labels.name}' was reviewed for other structures than '{self._model.card.name}' segments.",
                advice=f"It segments: {', '.join(sorted(known))}.",
            )
        foreign = [label.value for label in own if label.key not in known]
        return np.where(np.isin(values, foreign), 0, values).astype(np.uint8)

    def in_region(self, region: LocalisedRegion) -> np.ndarray:
        """The network's own values (k, j, i) uint8 on a region's grid, as the network sees it.

        Raises:
            InputError: as :meth:`on_scan`.
        """
        drawn = self._reviewed.labels.with_array(self.on_scan(_table_of(self._model.card, region)))
        at_hand = region.orient(resample_labels(drawn, region.grid).array)
        values = np.zeros_like(at_hand)
        for network_value, value in region.labels:
            values[at_hand == value] = network_value
        return values


def _table_of(card: ModelCard, region: LocalisedRegion) -> LabelTable:
    """The table whose values a region's labels get: that of the localiser for its sides, else the card's own."""
    of_a_side = card.localiser is not None and region.name in {side.name for side in card.localiser.sides}
    return card.localiser.labels if of_a_side else card.labels
