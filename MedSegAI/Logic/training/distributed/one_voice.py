"""Of several processes that end for the same reason, one says so.

An error in one process takes all others along: they lose their connection to it, or torchrun ends them. Each of them
would tell of that, below the sentence that matters. So whoever ends first leaves a mark where torchrun lets the
processes meet, before it lets go of the others; and whoever finds the mark of another keeps silent.
"""

from __future__ import annotations

import datetime
import os
import socket
from typing import TYPE_CHECKING

from MedSegAI.Logic.training.distributed.environment import Place

if TYPE_CHECKING:
    from torch.distributed import TCPStore

_PATIENCE = datetime.timedelta(seconds=5)


def may_speak(place: Place) -> bool:
    """Whether this process is the first to end, so that it tells why; from now on it is, if no other was.

    Where the processes meet in one of themselves, started without torchrun, that may be gone already, so everybody
    speaks: twice is better than not at all.
    """
    if place.is_alone or os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return True
    try:
        own = str(place.rank)
        return _meeting_point().compare_set(_mark(place), "", own).decode() == own
    except (RuntimeError, ValueError, OSError):
        return True


def forget_what_was_said(place: Place) -> None:
    """Take away the mark of processes that ended before these were started in their place."""
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        _meeting_point().delete_key(_mark(place))


def _mark(place: Place) -> str:
    return f"medsegai/first to end/{place.restarts}"


def _meeting_point() -> TCPStore:
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    # torch itself would retry for long, and write of it.
    socket.create_connection((address, port), timeout=_PATIENCE.total_seconds()).close()

    from torch.distributed import TCPStore

    return TCPStore(address, port, is_master=False, timeout=_PATIENCE)
