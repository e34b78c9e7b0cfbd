"""The table ``schedule``: how the learning rate falls, and whether it rises again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from MedSegAI.Logic.training.config_tables.check import need, need_one_of

WARM_RESTARTS, COSINE = "cosine_warm_restarts", "cosine"
ScheduleKind = Literal["cosine_warm_restarts", "cosine"]


@dataclass(frozen=True)
class ScheduleConfig:
    """Along half a cosine from the peak rate to the lowest one; both are in the table ``optimiser``.

    Args:
        kind: "cosine_warm_restarts" (Loshchilov and Hutter 2017, as torch's CosineAnnealingWarmRestarts) falls again
            and again, each time for longer, so a run may be ended after any period; it is the default because it
            needs no guess of the run's length. "cosine" falls once, over the whole run; better where the length is
            known.
        first_epochs: Epochs of the first period (T_0), of fractions as the steps go. 10: long enough to learn
            something.
        factor: How much longer each period is than the one before (T_mult). 2: periods end after 10, 30, 70, 150
            epochs.
    """

    kind: ScheduleKind = WARM_RESTARTS
    first_epochs: int = 10
    factor: int = 2

    def __post_init__(self) -> None:
        need_one_of(self.kind, get_args(ScheduleKind), "schedule.kind")
        need(self.first_epochs >= 1, f"schedule.first_epochs is {self.first_epochs}", "give 1 or more epochs")
        need(self.factor >= 1, f"schedule.factor is {self.factor}", "give 1 (equal periods) or more")
