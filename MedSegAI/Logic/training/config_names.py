"""Every field of a configuration by its dotted name, and the one that somebody may have meant."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from MedSegAI.Logic.training.config_tables.data_kinds import DEFAULT_KIND, DataKind, class_of_kind

MOVED = {"validation.patience": "early_stopping.patience"}
"""Fields that earlier versions had, and where they are now."""


@dataclass(frozen=True)
class NamedField:
    """A field of a table.

    Args:
        name: Dotted, such as "optimiser.learning_rate".
        owner: The dataclass that has it.
        hint: Its annotated type; without None where it may be left out.
        default: Its default; ``dataclasses.MISSING`` where it must be given.
        optional: Whether it may be null.
    """

    name: str
    owner: type
    hint: Any
    default: Any
    optional: bool

    @property
    def key(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @property
    def is_table(self) -> bool:
        """Whether it has fields of its own."""
        return dataclasses.is_dataclass(self.hint)


def named_fields(cls: type, prefix: str = "", *, standard: Any = None) -> Iterator[NamedField]:
    """The fields of a dataclass in their order, a table before its own fields; of the kinds of data the default one.

    Args:
        cls: The dataclass.
        prefix: What their names begin with, such as "optimiser.".
        standard: What the table is where it is left out; its fields are then the defaults.
    """
    hints = typing.get_type_hints(cls)
    for entry in dataclasses.fields(cls):
        hint, optional = without_none(hints[entry.name])
        if hint is DataKind:
            hint = class_of_kind({"kind": DEFAULT_KIND}, entry.name)
        default = entry.default_factory() if entry.default_factory is not dataclasses.MISSING else entry.default
        default = default if standard is None else getattr(standard, entry.name)
        field = NamedField(f"{prefix}{entry.name}", cls, hint, default, optional)
        yield field
        if field.is_table:
            own = default if dataclasses.is_dataclass(default) else None
            yield from named_fields(hint, f"{field.name}.", standard=own)


def without_none(hint: Any) -> tuple[Any, bool]:
    """An annotated type without None, and whether it had it."""
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return hint, False
    kinds = typing.get_args(hint)
    return next(kind for kind in kinds if kind is not type(None)), type(None) in kinds


def likely_meant(unknown: str, root: type) -> str:
    """The known field nearest to an unknown one, both by their dotted names; empty where none is near."""
    names = [field.name for field in named_fields(root)]
    table, _, key = unknown.rpartition(".")
    beside = [name for name in names if name.rpartition(".")[0] == table]
    near = difflib.get_close_matches(key, [name.rpartition(".")[2] for name in beside], n=1)
    if near:
        return f"{table}.{near[0]}" if table else near[0]
    same_key = [name for name in names if name.rpartition(".")[2] == key]
    if same_key:
        return same_key[0]
    keys = {name.rpartition(".")[2]: name for name in reversed(names)}
    elsewhere = difflib.get_close_matches(key, list(keys), n=1, cutoff=0.75)
    return keys[elsewhere[0]] if elsewhere else ""
