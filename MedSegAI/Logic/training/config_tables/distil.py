"""The table ``distil``: learning from the answers of finished models beside the experts' labels."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.training.config_tables.check import need


@dataclass(frozen=True)
class DistilConfig:
    """Teachers, and how much they count; see ``Logic/training/distil.py``.

    Args:
        teachers: Checkpoints or model folders; the mean of their probabilities is taught.
        weight: Share of the teachers in the target of each voxel; the rest is the expert's label.
    """

    teachers: tuple[str, ...]
    weight: float = 0.5

    def __post_init__(self) -> None:
        need(bool(self.teachers), "distil.teachers is empty", "name at least one checkpoint or model folder")
        need(0 < self.weight <= 1, f"distil.weight is {self.weight}", "give a number above 0 and up to 1")
