"""What a command hands back to be shown: facts for machines, lines for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """The end of one command.

    Args:
        facts: What ``--json`` prints as one object; only values that JSON knows.
        lines: What a person reads on standard output.
        exit_code: 0, or 2 where the command ended well but found something wrong (``doctor``, ``models verify``).
    """

    facts: dict[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    exit_code: int = 0
