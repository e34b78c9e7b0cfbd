"""The JSON schema of a configuration, made from its dataclasses: for editors that check YAML while it is written.

What depends on more than one field, and most limits of numbers, are checked when a configuration is read.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.config_explanation import docstring_of, plain
from MedSegAI.Logic.training.config_names import NamedField, without_none
from MedSegAI.Logic.training.config_tables.data_kinds import DATA_KINDS, DEFAULT_KIND, DataKind, class_of_kind

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KINDS = {int: "integer", float: "number", str: "string", bool: "boolean"}


def config_schema(root: type = TrainingConfig) -> dict[str, Any]:
    """The schema of a configuration's dataclass."""
    return {"$schema": _DIALECT, "title": "MedSegAI training run"} | _table(root)


def _table(cls: type, **fixed: str) -> dict[str, Any]:
    """A dataclass, with the fields of ``fixed`` only as they are there."""
    hints, fields, needed = typing.get_type_hints(cls), {}, []
    for entry in dataclasses.fields(cls):
        default = entry.default_factory() if entry.default_factory is not dataclasses.MISSING else entry.default
        hint, optional = without_none(hints[entry.name])
        field = NamedField(entry.name, cls, hint, default, optional)
        fields[entry.name] = {"const": fixed[entry.name]} if entry.name in fixed else _field(field)
        if default is dataclasses.MISSING:
            needed.append(entry.name)
    described = {"description": " ".join((cls.__doc__ or "").split("\n\n")[0].split())}
    return described | {
        "type": "object",
        "properties": fields,
        "required": needed,
        "additionalProperties": False,
    }


def _field(field: NamedField) -> dict[str, Any]:
    schema = _kind(field.hint)
    if field.optional:
        schema = {"anyOf": [schema, {"type": "null"}]}
    text = docstring_of(field).replace("``", "")
    schema = ({"description": text} if text else {}) | schema
    if field.default is not dataclasses.MISSING and not field.is_table:
        schema["default"] = plain(field.default)
    return schema


def _kind(hint: Any) -> dict[str, Any]:
    hint, _ = without_none(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is DataKind:
        return _kinds_of_data()
    if dataclasses.is_dataclass(hint):
        return _table(hint)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _kind(arguments[0])}
    if origin is tuple:
        limits = {"minItems": len(arguments), "maxItems": len(arguments)}
        return {"type": "array", "prefixItems": [_kind(kind) for kind in arguments]} | limits
    if origin is dict:
        # YAML's whole numbers as keys are texts in JSON.
        return {"type": "object", "additionalProperties": _kind(arguments[1])}
    return {"type": _KINDS[hint]} if hint in _KINDS else {}


def _kinds_of_data() -> dict[str, Any]:
    """One table for each kind; the default kind need not be named."""
    tables = []
    for kind in DATA_KINDS:
        table = _table(class_of_kind({"kind": kind}, "data"), kind=kind)
        if kind != DEFAULT_KIND:
            table["required"] = ["kind", *table["required"]]
        tables.append(table)
    return {"anyOf": tables}
