"""Plain aligned columns, readable on a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One line a row, each column as wide as its widest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    return tuple("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
