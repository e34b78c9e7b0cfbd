"""Tables of figures written where the user asked for them."""

from __future__ import annotations

from pathlib import Path


def write_table(path: Path, text: str) -> str:
    """Write a text file whole or not at all; returns the line that says so.

    Raises:
        StorageError: if it cannot be written.
    """
    from MedSegAI.Logic.files.atomic import write_beside

    with write_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return f"Written: {path}"
