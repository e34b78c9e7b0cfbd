"""The recipes of ``recipes.yaml``, checked, and the training configuration that each of ours stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from MedSegAI.Logic.training.config import TrainingConfig, config_from_mapping

HERE = Path(__file__).parent
SHIPPED_RECIPE = HERE.parents[2] / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.yaml"
TRAINERS = ("ours", "monai", "nnunet", "shipped", "ensemble")
TABLES = ("accuracy", "ablation")
_WORK = "WORK"


@dataclass(frozen=True)
class Recipe:
    """One entry of ``recipes.yaml``.

    Args:
        name: Its key.
        trainer: Who trains it, one of ``TRAINERS``.
        table: Where it is shown, one of ``TABLES``.
        title: Its row, in words.
        cpu_minutes: Its budget; None where steps end it, or nothing is trained.
        set: Changes to the shipped recipe, of nested tables.
        network: Name in ``networks.py``, for MONAI's recipe.
        learning_rate: Peak rate, for MONAI's recipe.
        members: Other recipes, for an ensemble.
    """

    name: str
    trainer: str
    table: str
    title: str
    cpu_minutes: float | None
    set: Mapping[str, Any] = field(default_factory=dict)
    network: str = ""
    learning_rate: float = 1e-4
    members: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.trainer not in TRAINERS or self.table not in TABLES:
            raise ValueError(f"The recipe '{self.name}' names the trainer '{self.trainer}', the table '{self.table}'.")


def read_recipes(path: Path = HERE / "recipes.yaml") -> dict[str, Recipe]:
    """All recipes by name, in the order of the file."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["recipes"]
    return {name: Recipe(name=name, **_as_tuples(entry)) for name, entry in entries.items()}


def config_of(recipe: Recipe, work: Path, *, cpu_minutes: float | None) -> TrainingConfig:
    """The shipped recipe, with the changes common to all of the study, then those of this recipe.

    Raises:
        InputError: if the trainer does not know a field.
    """
    common = yaml.safe_load((HERE / "recipes.yaml").read_text(encoding="utf-8"))["common"]
    shipped = yaml.safe_load(SHIPPED_RECIPE.read_text(encoding="utf-8"))
    own = {"name": recipe.name, "cpu_minutes": cpu_minutes, **recipe.set}
    content = _with_work(_merged(_merged(shipped, common), own), work)
    return config_from_mapping(content, source=f"The recipe '{recipe.name}'")


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables, ``above`` winning field by field; a network of another kind replaces all arguments."""
    out = dict(below)
    for key, value in above.items():
        is_other_network = key == "network" and value.get("name") == "PlainUNet"
        both_are_tables = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
        out[key] = _merged(out[key], value) if both_are_tables and not is_other_network else value
    return out


def _with_work(value: Any, work: Path) -> Any:
    """Paths that begin with WORK, placed in the work folder."""
    if isinstance(value, dict):
        return {key: _with_work(entry, work) for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_work(entry, work) for entry in value]
    return f"{work}{value.removeprefix(_WORK)}" if isinstance(value, str) and value.startswith(f"{_WORK}/") else value


def _as_tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
