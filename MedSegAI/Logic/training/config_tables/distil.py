"""The table ``distil``: learning from the answers of finished models beside the experts' labels."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.training.config_tables.check import need, need_one_of


@dataclass(frozen=True)
class DistilConfig:
    """Teachers, and how much they count; see ``Logic/training/distil.py``.

    Args:
        teachers: Checkpoints or model folders; the mean of their probabilities is taught.
        weight: Share of the teachers in the target of each voxel; the rest is the expert's label. 0.5: both alike.
        temperature: The teachers' logits are divided by it; above 1 they teach softer answers. 1: as they answer.
        flips: "left_right": each teacher's answer is its mean over the patch and the patch with left and right
            exchanged; "none" for labels that belong to one side of the body, at half the cost.
    """

    teachers: tuple[str, ...]
    weight: float = 0.5
    temperature: float = 1.0
    flips: str = "left_right"

    def __post_init__(self) -> None:
        need(bool(self.teachers), "distil.teachers is empty", "name at least one checkpoint or model folder")
        need(0 < self.weight <= 1, f"distil.weight is {self.weight}", "give a number above 0 and up to 1")
        need(self.temperature > 0, f"distil.temperature is {self.temperature}", "give a number above 0")
        need_one_of(self.flips, ("left_right", "none"), "distil.flips")
