"""The table ``keeping``: what a run leaves beside its checkpoints, and how often it is kept safe."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.training.config_tables.check import need


@dataclass(frozen=True)
class KeepingConfig:
    """Records of a run; none of them changes what is learned.

    Args:
        checkpoint_minutes: Minutes after which the state is written in the middle of an epoch, too. 10.0: what a
            crash can cost; 0.0 writes at the end of epochs only.
        tensorboard: Whether events for TensorBoard are written into the run's folder. false: it needs a package more
            (pip install 'medsegai[training]').
        picture_epochs: Epochs between pictures of the worst validation case in TensorBoard. 50: now and then.
        worst_cases: Validation cases of lowest Dice that the report shows as pictures. 4; 0: none.
    """

    checkpoint_minutes: float = 10.0
    tensorboard: bool = False
    picture_epochs: int = 50
    worst_cases: int = 4

    def __post_init__(self) -> None:
        for name in ("checkpoint_minutes", "worst_cases"):
            value = getattr(self, name)
            need(value >= 0, f"keeping.{name} is {value}", "give 0 or a positive number")
        need(self.picture_epochs >= 1, f"keeping.picture_epochs is {self.picture_epochs}", "give 1 or more epochs")
