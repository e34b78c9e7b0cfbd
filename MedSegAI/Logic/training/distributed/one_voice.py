"""Of several processes that end for the same reason, one says so.

An error in one process takes all others along: they lose their connection to it, or torchrun ends them. Each of them
would tell of that, below the sentence that matters. So whoever speaks first leaves a mark where the processes meet, and
whoever finds the mark keeps silent.
"""

from __future__ import annotations

import datetime
import os

from MedSegAI.Logic.training.distributed.environment import Place

_MARK = "medsegai/spoken"
_PATIENCE = datetime.timedelta(seconds=5)


def may_speak(place: Place) -> bool:
    """Whether no other process told of its end yet; marks that this one does.

    Where the meeting point cannot be reached any more, everybody may speak: twice is better than not at all.
    """
    if place.is_alone:
        return True
    try:
        return _meeting_point().add(_mark(place), 1) == 1
    except (RuntimeError, ValueError, OSError):
        return True


def forget_what_was_said(place: Place) -> None:
    """Take away the mark of processes that ended before these were started in their place."""
    _meeting_point().delete_key(_mark(place))


def _mark(place: Place) -> str:
    return f"{_MARK}/{place.restarts}"


def _meeting_point():  # noqa: ANN202 - torch is imported only where several processes train
    from torch.distributed import TCPStore

    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return TCPStore(address, port, is_master=False, timeout=_PATIENCE)
