"""Which labels a run will give, known before it has begun."""

from __future__ import annotations

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.pointed_regions import numbered_labels
from MedSegAI.Logic.inference.regions import fits
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.settings import RunSettings


def labels_of_run(grid: Grid, card: ModelCard, settings: RunSettings) -> LabelTable:
    """The table of the segmentation that ``segment`` gives for a scan on ``grid`` with these settings."""
    if card.needs_point:
        return numbered_labels(card, len(settings.points))
    localiser = card.localiser
    if localiser is None or fits(grid, localiser):
        return card.labels
    was_chosen = settings.region is not None or bool(settings.points)
    return card.labels if was_chosen and len(localiser.sides) == 1 else localiser.labels
