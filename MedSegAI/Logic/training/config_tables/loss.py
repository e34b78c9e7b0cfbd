"""The table ``loss``: what is made small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from MedSegAI.Logic.training.config_tables.check import need, need_one_of

LossKind = Literal["dice_ce", "dice_focal", "generalised_dice_ce", "tversky_ce"]
LOSS_KINDS = get_args(LossKind)


@dataclass(frozen=True)
class LossConfig:
    """An overlap of whole regions plus a judgement of each voxel.

    Args:
        kind: "dice_ce": soft Dice plus cross-entropy, the default, as it is the field's standard and rarely the
            worst. "dice_focal": the focal loss (Lin et al. 2017) in place of the cross-entropy, for structures of few
            voxels. "generalised_dice_ce": classes weighted by their size (Sudre et al. 2017) in place of the mean
            over classes. "tversky_ce": Tversky's index (Salehi et al. 2017) in place of Dice, to weigh what is missed
            against what is too much.
        focal_gamma: How much the focal loss leaves out voxels that are right already. 2.0, as published.
        missed_weight: Weight of missed voxels in Tversky's index; superfluous ones count 1 minus it. 0.7, as
            published: sensitivity before precision. 0.5 is Dice.
    """

    kind: LossKind = "dice_ce"
    focal_gamma: float = 2.0
    missed_weight: float = 0.7

    def __post_init__(self) -> None:
        need_one_of(self.kind, LOSS_KINDS, "loss.kind")
        need(self.focal_gamma >= 0, f"loss.focal_gamma is {self.focal_gamma}", "give 0 or a positive number")
        need(0 < self.missed_weight < 1, f"loss.missed_weight is {self.missed_weight}", "give a number between 0 and 1")
