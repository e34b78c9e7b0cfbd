"""Everything that can be chosen about the gateway, and what it refuses to serve without a token."""

from __future__ import annotations

import ipaddress
import sys
from dataclasses import dataclass, field
from pathlib import Path

from MedSegAI.Logic.errors import InputError

SHORTEST_TOKEN = 12

_CASE_COMMAND = (sys.executable, "-m", "MedSegAI.Web.case")


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """How the browser app is served.

    Args:
        host: Address to listen on; only a loopback address works without a token.
        port: Port to listen on; 0 takes any free one.
        token: What a person must know to get in; empty for nothing.
        scan: File or folder that every new case opens; None for the sample case.
        most_cases: How many cases may be open at once.
        seconds_without_window: How long a case is kept after its last window was closed.
        seconds_to_start: How long a case may take to start.
        keep_spare: Whether one case more is started ahead, so that the next window opens at once.
        case_command: The program of one case; see :mod:`MedSegAI.Web.case_contract`.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    token: str = field(default="", repr=False)
    scan: Path | None = None
    most_cases: int = 4
    seconds_without_window: float = 600.0
    seconds_to_start: float = 120.0
    keep_spare: bool = False
    case_command: tuple[str, ...] = _CASE_COMMAND

    def checked(self) -> GatewaySettings:
        """These settings.

        Raises:
            InputError: where they would let strangers in, or name a scan that is not there.
        """
        if self.token and len(self.token) < SHORTEST_TOKEN:
            raise InputError(
                f"The token is too short: {len(self.token)} characters can be guessed.",
                advice=f"Choose one of at least {SHORTEST_TOKEN} characters.",
            )
        if not self.token and not is_loopback(self.host):
            raise InputError(
                f"Serving on {self.host} would show every case to everyone who reaches this computer.",
                advice="Give a token (--token-file or MEDSEGAI_TOKEN), or serve on 127.0.0.1 only.",
            )
        if self.scan is not None and not self.scan.exists():
            raise InputError(f"There is no file or folder {self.scan}.", advice="Check the path of the scan.")
        return self


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach what listens on ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
