"""Tables of figures as plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(
    header: Sequence[str], rows: Sequence[Sequence[str]], foot: Sequence[Sequence[str]] = (), *, names: int
) -> str:
    """A header, rows, and below a rule the foot; columns of names run from the left, figures from the right.

    Args:
        header: Heading of each column.
        rows: Cells of each row.
        foot: Cells of the rows below the second rule; none leaves the rule out.
        names: How many of the first columns hold names.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, *foot)]

    def line(cells: Sequence[str]) -> str:
        left = [text.ljust(width) for text, width in zip(cells[:names], widths)]
        right = [text.rjust(width) for text, width in zip(cells[names:], widths[names:])]
        return "  ".join([*left, *right]).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    below = [rule, *map(line, foot)] if foot else []
    return "\n".join([line(header), rule, *map(line, rows), *below]) + "\n"


def cell(value: float | None, *, decimals: int = 4) -> str:
    """A figure as it is shown, "-" where there is none."""
    return "-" if value is None else f"{value:.{decimals}f}"
