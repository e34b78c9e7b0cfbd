"""The kinds of the table ``data``, told apart by its field ``kind``."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol

from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.training.config_tables.check import need, need_one_of

# Kind -> module and name of its dataclass. The modules are imported only for a configuration that names them.
DATA_KINDS = {
    "decathlon": ("MedSegAI.Logic.training.config_tables.decathlon", "DataConfig"),
    "nodules": ("MedSegAI.Logic.training.nodules.config", "NoduleDataConfig"),
}
DEFAULT_KIND = "decathlon"


class DataKind(Protocol):
    """What every kind of data has; each kind is a frozen dataclass with more fields of its own.

    Args:
        kind: Its key in ``DATA_KINDS``.
        folder: Name of the data set's folder inside the one that MEDSEGAI_DATA names.
        labels: Label value to name, 1, 2, 3 and so on; background (0) left out.
        normalisation: How intensities are prepared, as the model's card will say it.
        spacing_mm: Spacing (i, j, k) of the model's space.
    """

    kind: str
    folder: str
    labels: dict[int, str]
    normalisation: Normalisation
    spacing_mm: tuple[float, float, float]


def class_of_kind(content: object, path: str) -> type[Any]:
    """The dataclass of the kind that ``content`` names; without a ``kind`` that of "decathlon".

    Raises:
        InputError: for an unknown kind.
    """
    need(isinstance(content, Mapping), f"{path} is not a table of fields", "write 'field: value' lines")
    kind = content.get("kind", DEFAULT_KIND)
    need_one_of(kind, tuple(DATA_KINDS), f"{path}.kind")
    module, name = DATA_KINDS[kind]
    return getattr(importlib.import_module(module), name)
