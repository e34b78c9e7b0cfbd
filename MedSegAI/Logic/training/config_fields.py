"""Nested dictionaries, as YAML holds them, checked into dataclasses; and back."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config_names import MOVED, likely_meant, without_none
from MedSegAI.Logic.training.config_tables.check import need, need_one_of
from MedSegAI.Logic.training.config_tables.data_kinds import DataKind, class_of_kind

Table = TypeVar("Table")
_KIND_NAMES = {
    int: "a whole number",
    float: "a number (write 1.0e-3, not 1e-3)",
    str: "a text",
    bool: "true or false",
}


def read_table(path: Path, cls: type[Table]) -> Table:
    """An instance of the dataclass ``cls`` from a YAML file.

    Raises:
        InputError: if the file is missing, is not YAML, or a field is unknown, missing or out of range.
    """
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}.", advice="Check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(f"'{path}' is not valid YAML: {reason}.", advice="Mend the file.") from error
    return named_table(content, cls, source=f"'{path}'")


def named_table(content: object, cls: type[Table], *, source: str) -> Table:
    """An instance of the dataclass ``cls`` from a dictionary, whose faults are told with its ``source``.

    Raises:
        InputError: naming the source, and a field that is unknown, missing or out of range.
    """
    try:
        return table_from_mapping(cls, content, "")
    except InputError as error:
        raise InputError(f"{source} cannot be used: {error.problem}", advice=error.advice) from error


def table_from_mapping(cls: type, content: object, path: str, *, root: type | None = None) -> Any:
    """An instance of the dataclass ``cls`` from a dictionary, every field checked against its annotation.

    Args:
        cls: A dataclass, whose fields may be dataclasses, tuples, dictionaries, texts, numbers or optional.
        content: What was read.
        path: Name of the table, such as "optimiser", as sentences say it; "" at the top level.
        root: The dataclass of the whole configuration, whose fields somebody may have meant; None: ``cls``.

    Raises:
        InputError: naming a field that is unknown, missing or of the wrong kind.
    """
    where = path or "the top level"
    need(isinstance(content, Mapping), f"{where} is not a table of fields", "write 'field: value' lines")
    known = {entry.name: entry for entry in dataclasses.fields(cls)}
    _refuse_unknown([str(key) for key in content if key not in known], list(known), path, root or cls)
    missing = [
        name
        for name, entry in known.items()
        if name not in content and entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
    ]
    need(not missing, f"{where} lacks the field '{', '.join(missing)}'", "add it")
    hints = typing.get_type_hints(cls)
    prefix = f"{path}." if path else ""
    return cls(**{key: _convert(value, hints[key], f"{prefix}{key}", root or cls) for key, value in content.items()})


def mapping_from_table(table: Any) -> dict[str, Any]:
    """A dataclass as plain nested dictionaries and lists; :func:`table_from_mapping` reads them back."""
    return _plain(dataclasses.asdict(table))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _refuse_unknown(unknown: list[str], known: list[str], path: str, root: type) -> None:
    if not unknown:
        return
    first = f"{path}.{unknown[0]}" if path else unknown[0]
    where = path or "the top level"
    need(first not in MOVED, f"{where} has the field '{unknown[0]}', which is called {MOVED.get(first)} now", "move it")
    meant, names = likely_meant(first, root), f"known are {', '.join(known)}"
    if meant:
        beside = meant.rpartition(".")[0] == path
        place = "" if beside or "." in meant else " at the top level"
        names = f"did you mean '{meant.rpartition('.')[2] if beside else meant}'{place}? {names[0].upper()}{names[1:]}"
    need(False, f"{where} has the unknown field '{', '.join(unknown)}'", names)


def _convert(value: Any, hint: Any, path: str, root: type) -> Any:
    """``value`` as the annotated type ``hint``, or a sentence that names the field."""
    hint, optional = without_none(hint)
    if value is None and optional:
        return None
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is DataKind:
        hint = class_of_kind(value, path)
    if dataclasses.is_dataclass(hint):
        return table_from_mapping(hint, value, path, root=root)
    if origin is Literal:
        need_one_of(value, arguments, path)
        return value
    if origin is tuple:
        return _convert_list(value, arguments, path, root)
    if origin is dict:
        need(isinstance(value, Mapping), f"{path} is {value!r}", "write it as 'key: value' lines")
        return {_convert(k, arguments[0], path, root): _convert(v, arguments[1], path, root) for k, v in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Any:
        return value
    fits = isinstance(value, hint) and not (isinstance(value, bool) and hint is not bool)
    need(fits, f"{path} is {value!r}", f"give {_KIND_NAMES.get(hint, hint.__name__)}")
    return value


def _convert_list(value: Any, arguments: tuple[Any, ...], path: str, root: type) -> tuple:
    is_list = isinstance(value, list | tuple)
    if arguments[-1] is Ellipsis:
        need(is_list, f"{path} is {value!r}", "give a list")
        return tuple(_convert(entry, arguments[0], path, root) for entry in value)
    need(is_list and len(value) == len(arguments), f"{path} is {value!r}", f"give a list of {len(arguments)} numbers")
    return tuple(_convert(entry, kind, path, root) for entry, kind in zip(value, arguments))
