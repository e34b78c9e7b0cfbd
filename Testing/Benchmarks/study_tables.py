"""Tables of a study, written for people (Markdown), for spreadsheets (CSV) and for programs (JSON)."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from MedSegAI.Logic.agreement.bootstrap import Estimate

LONGEST_FOR_PEOPLE = 60
"""Rows; longer tables are left to programs."""
Cell = str | int | float | Estimate | None


@dataclass(frozen=True)
class Table:
    """Rows with the same columns.

    Args:
        name: Of its file.
        title: What it shows, as a sentence.
        rows: At least one; cells by column; estimates come with their 95% interval.
    """

    name: str
    title: str
    rows: Sequence[dict[str, Cell]]


def write_tables(folder: Path, name: str, tables: Sequence[Table], *, remarks: Sequence[str]) -> None:
    """Write ``name.md`` with the tables that are not too long, ``name.json`` with all, and a CSV file of each."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [" ".join(remarks), *(f"## {table.title}\n\n{as_markdown(table.rows)}" for table in for_people(tables))]
    (folder / f"{name}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    plain = {table.name: {"title": table.title, "rows": [_plain(row) for row in table.rows]} for table in tables}
    (folder / f"{name}.json").write_text(json.dumps({"remarks": list(remarks), **plain}, indent=1), encoding="utf-8")
    for table in tables:
        with (folder / f"{table.name}.csv").open("w", newline="", encoding="utf-8") as file:
            rows = [_flat(row) for row in table.rows]
            writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def for_people(tables: Sequence[Table]) -> list[Table]:
    return [table for table in tables if len(table.rows) <= LONGEST_FOR_PEOPLE]


def as_markdown(rows: Sequence[dict[str, Cell]]) -> str:
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([_text(row[column]) for column in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(cell: Cell) -> str:
    if isinstance(cell, Estimate):
        ends = () if cell.low is None else (cell.low, cell.high)
        value, *interval = _numbers(cell.value, *ends)
        return f"{value} ({interval[0]} to {interval[1]})" if interval else value
    if isinstance(cell, float):
        return _numbers(cell)[0]
    return "-" if cell is None else str(cell)


def _numbers(*values: float | None) -> list[str]:
    """Numbers of one cell, all with as many decimals as the largest needs."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    if 1e-12 < largest < 5e-5:
        return ["-" if value is None else f"{value:.1e}" for value in values]
    decimals = 1 if largest >= 10 else 3 if largest >= 0.0095 or largest == 0 else 4
    return ["-" if value is None else f"{round(value, decimals) + 0.0:.{decimals}f}" for value in values]


def _plain(row: dict[str, Cell]) -> dict[str, object]:
    return {column: asdict(cell) if isinstance(cell, Estimate) else cell for column, cell in row.items()}


def _flat(row: dict[str, Cell]) -> dict[str, object]:
    """One number a cell: an estimate becomes three columns."""
    flat = {}
    for column, cell in row.items():
        if isinstance(cell, Estimate):
            flat |= {column: cell.value, f"{column} low": cell.low, f"{column} high": cell.high}
        else:
            flat[column] = cell
    return flat
