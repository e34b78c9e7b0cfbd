"""A data folder in the Decathlon's layout that holds the real crops and a split of only a few of them."""

from __future__ import annotations

import json
from pathlib import Path

from MedSegAI.Logic.files.decathlon import read_split


def few_crops(data: Path, folder: Path, *, train: int, val: int) -> Path:
    """Make ``folder``, which points at the crops of ``data``, with the first cases of each half of their split."""
    folder.mkdir(parents=True)
    for name in ("imagesTr", "labelsTr"):
        (folder / name).symlink_to((data / name).resolve())
    split = read_split(data / "split.json")
    (folder / "split.json").write_text(json.dumps({"train": split.train[:train], "val": split.val[:val]}))
    return folder
