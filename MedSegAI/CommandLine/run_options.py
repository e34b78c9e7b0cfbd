"""What commands that start a run from a YAML file have in common: its folder, ``--set`` and ``--resume``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.Logic.errors import InputError, StorageError

_NOTHING = object()


def add_run_options(parser: argparse.ArgumentParser, *, example: str, config_count: str | None = None) -> None:
    """Add CONFIG, ``--output``, ``--set`` (with an example of KEY=VALUE) and ``--resume``.

    Args:
        parser: Of the command.
        example: Of KEY=VALUE.
        config_count: "?" where the command can do something without a configuration.
    """
    help_text = "YAML file; every field is checked before the first step"
    parser.add_argument("config", type=Path, nargs=config_count, help=help_text)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="folder of the run (default: runs/NAME)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="changes",
        help=f"change one field, such as {example}; the value as in YAML, so [32, 64, 32] is a list; may be repeated",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")


def refuse_wrong_folder(folder: Path, *, started: bool, resume: bool) -> None:
    """Refuse to start a run where one is, and to go on with one where none is.

    Args:
        folder: Of the run.
        started: Whether it holds a run.
        resume: Whether to go on with it.

    Raises:
        StorageError: if it holds a run that is not to be resumed.
        InputError: if there is nothing to resume.
    """
    if started and not resume:
        raise StorageError(
            f"'{folder}' holds a run already.", advice="Go on with it with --resume, or choose another folder with -o."
        )
    if resume and not started:
        raise InputError(
            f"'{folder}' holds no run to go on with.", advice="Leave out --resume, or give the folder with -o."
        )


def with_changes(fields: dict[str, Any], changes: list[str]) -> dict[str, Any]:
    """Nested dictionaries with each ``KEY=VALUE`` of ``--set`` written into them; they are not checked here.

    Raises:
        UsageError: for a change that is not of this form, a value that is not YAML, or a table that is not there.
    """
    import yaml

    for change in changes:
        key, separator, text = change.partition("=")
        if not separator or not key:
            raise UsageError(f"--set {change} is not of the form KEY=VALUE.", advice="Write --set total_steps=100.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {change} holds no valid value.", advice="Write it as in YAML.") from error
        _set(fields, key.split("."), value, change)
    return fields


def _set(fields: dict[str, Any], path: list[str], value: object, change: str) -> None:
    """Write a value into nested tables and lists; a table that is null so far is made."""
    inside: Any = fields
    *parents, last = path
    for parent in parents:
        key = _key(inside, parent, change)
        following = inside[key] if isinstance(inside, list) else inside.get(key, _NOTHING)
        if following is None:
            following = inside[key] = {}
        if not isinstance(following, dict | list):
            raise UsageError(
                f"--set {change}: the configuration has no table '{parent}'.", advice="Check the name of the field."
            )
        inside = following
    inside[_key(inside, last, change)] = value


def _key(inside: dict | list, name: str, change: str) -> Any:
    """The key that a name means: a place of a list, or a number where the table's keys are numbers."""
    if isinstance(inside, list):
        if not name.isdecimal() or int(name) >= len(inside):
            raise UsageError(
                f"--set {change}: '{name}' is no place in a list of {len(inside)}.",
                advice=f"Count from 0 to {len(inside) - 1}, or give the whole list, such as [1, 2, 3].",
            )
        return int(name)
    has_numbers = bool(inside) and all(isinstance(key, int) for key in inside)
    return int(name) if has_numbers and name.isdecimal() else name
