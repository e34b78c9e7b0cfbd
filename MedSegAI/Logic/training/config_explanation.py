"""Every field of the configuration explained: what it means, its default, and why that is the default.

The words are those of the dataclasses' docstrings, so they cannot disagree with the code they stand beside.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.config_names import NamedField, likely_meant, named_fields

_WIDTH = 110
_ENTRY = re.compile(r"^(\w+(?:, \w+)*): ")
_TYPE_WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false", Any: "anything"}
_EXAMPLES = {
    "name": "my-run",
    "data.labels": {1: "lesion"},
    "patch_size": [96, 96, 96],
    "total_steps": 20_000,
    "network.arguments": {"in_channels": 1, "out_channels": 2, "feature_size": 24},
}


@dataclass(frozen=True)
class ExplainedField:
    """A field in words.

    Args:
        name: Dotted, such as "optimiser.learning_rate".
        kind: What may be written, such as "number" or "one of fp32, bf16-mixed".
        default: As YAML; "needed" where there is none, "table" for a table of fields.
        text: What it means, and why the default is what it is.
    """

    name: str
    kind: str
    default: str
    text: str


def explained_fields(part: str = "", *, root: type = TrainingConfig) -> list[ExplainedField]:
    """All fields in the order of the file, or a field, or a table with its own; each table before its own fields.

    Args:
        part: Dotted name of a field or table; empty for all.
        root: The configuration's dataclass.

    Raises:
        InputError: if there is no such field; names the nearest.
    """
    chosen = [
        ExplainedField(field.name, kind_in_words(field.hint), _default_in_words(field), docstring_of(field))
        for field in named_fields(root)
        if not part or field.name == part or field.name.startswith(f"{part}.")
    ]
    if not chosen:
        near = likely_meant(part, root)
        raise InputError(
            f"The configuration has no field '{part}'.",
            advice=f"Did you mean '{near}'?" if near else "medsegai train --explain lists all.",
        )
    return chosen


def explanation(part: str = "", *, root: type = TrainingConfig) -> str:
    """The same as text to read in a terminal.

    Raises:
        InputError: as :func:`explained_fields`.
    """
    return "\n".join(line for field in explained_fields(part, root=root) for line in _in_lines(field)).strip("\n")


def defaults_as_yaml(root: type = TrainingConfig) -> str:
    """A whole configuration to start from: every default, a comment on each; what is needed has an example."""
    import yaml

    lines = ["# Every field with its default. What the run cannot do without has an example: change it first."]
    for field in named_fields(root):
        indent = "  " * field.name.count(".")
        lines += [
            f"{indent}# {line}" for line in textwrap.wrap(docstring_of(field).replace("``", ""), _WIDTH - len(indent))
        ]
        if field.is_table and (field.default is not None):
            lines.append(f"{indent}{field.key}:")
            continue
        value = _EXAMPLES.get(field.name, None if field.default is dataclasses.MISSING else plain(field.default))
        text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000).removesuffix("...\n")
        lines.append(f"{indent}{field.key}: {text.strip()}")
    return "\n".join(_without_absent_tables(lines, root)) + "\n"


def docstring_of(field: NamedField) -> str:
    """What the docstring of the field's table says of it; empty where it says nothing."""
    return _arguments(field.owner).get(field.key, "")


def kind_in_words(hint: Any) -> str:
    """What may be written for an annotated type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return "table"
    if origin is typing.Literal:
        return f"one of {', '.join(arguments)}"
    if origin is tuple:
        many = "" if arguments[-1] is Ellipsis else f"{len(arguments)} "
        return f"list of {many}{kind_in_words(arguments[0])}s"
    if origin is dict:
        return f"'{kind_in_words(arguments[0])}: {kind_in_words(arguments[1])}' lines"
    return _TYPE_WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def plain(value: Any) -> Any:
    """A default as YAML and JSON hold it."""
    if dataclasses.is_dataclass(value):
        return {entry.name: plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _arguments(cls: type) -> dict[str, str]:
    """The entries of a docstring's part ``Args:``, by name."""
    _, _, part = (inspect.getdoc(cls) or "").partition("\nArgs:\n")
    entries: dict[str, str] = {}
    names: list[str] = []
    for line in textwrap.dedent(part.partition("\n\n")[0]).splitlines():
        start = _ENTRY.match(line)
        if start:
            names = start.group(1).split(", ")
            entries |= dict.fromkeys(names, line[start.end() :])
        elif line.strip():
            entries |= {name: f"{entries[name]} {line.strip()}" for name in names}
    return entries


def _default_in_words(field: NamedField) -> str:
    import yaml

    if field.default is dataclasses.MISSING:
        return "table" if field.is_table else "needed"
    if field.is_table and field.default is not None:
        return "table"
    text = yaml.safe_dump(plain(field.default), default_flow_style=True, allow_unicode=True, width=1000)
    return text.removesuffix("...\n").strip()


def _in_lines(field: ExplainedField) -> Iterator[str]:
    if field.kind == "table":
        yield f"\n{field.name}" if field.default == "table" else f"\n{field.name}: {field.default}   (table)"
    else:
        yield f"{field.name}: {field.default}   ({field.kind})"
    yield from textwrap.wrap(field.text.replace("``", ""), _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _without_absent_tables(lines: list[str], root: type) -> Iterator[str]:
    """Leaves out the fields of tables that are absent by default: they may not stand below ``null``."""
    absent = {field.key for field in named_fields(root) if field.is_table and field.default is None}
    skipping = False
    for line in lines:
        if not line.startswith(" "):
            skipping = line.partition(":")[0] in absent or (skipping and line.startswith("#"))
        if not (skipping and line.startswith(" ")):
            yield line
