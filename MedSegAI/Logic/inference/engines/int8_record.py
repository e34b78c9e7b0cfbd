"""Where the 8-bit form of a model is kept, and the record that says what it was made from and how well it does."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, Model, file_sha256, name_or_folder, user_models_folder

GRAPH_NAME = "int8.xml"
NUMBERS_NAME = "int8.bin"
RECORD_NAME = "int8.json"
_FORMAT = 1


@dataclass(frozen=True)
class CasesUsed:
    """Labelled cases that something was done with.

    Args:
        dataset: Name of the data folder.
        subset: Which list of the split.
        cases: How many of its cases.
        windows: How many of their windows; None where all were used.
    """

    dataset: str
    subset: str
    cases: int
    windows: int | None = None


@dataclass(frozen=True)
class Int8Record:
    """What stands beside an 8-bit model.

    Args:
        model: Name of the model.
        model_version: Version on its card.
        weights_sha256: Digest of the weights that it was made from.
        window: Extent (k, j, i) of its windows.
        channels: Channels of its windows.
        files_sha256: Digest of each file by name.
        calibrated_on: The cases whose windows fixed the ranges of the 8-bit numbers.
        measured_on: The cases that both forms were measured on.
        dice_float: Mean Dice of the model as it is, over cases and then labels.
        dice_int8: The same of the 8-bit form.
        dice_by_label: Both by the label's key, float first.
        largest_drop: The drop that was allowed.
        seconds_per_case: Wall seconds of both, float first, on the computer that made it.
        versions: Of the packages that made it.
        made: Date and time, UTC.
    """

    model: str
    model_version: str
    weights_sha256: str
    window: tuple[int, int, int]
    channels: int
    files_sha256: dict[str, str]
    calibrated_on: CasesUsed
    measured_on: CasesUsed
    dice_float: float
    dice_int8: float
    dice_by_label: dict[str, tuple[float | None, float | None]]
    largest_drop: float
    seconds_per_case: tuple[float, float]
    versions: dict[str, str]
    made: str

    @property
    def drop(self) -> float:
        """How much lower the mean Dice of the 8-bit form is; negative where it is higher."""
        return self.dice_float - self.dice_int8

    @property
    def holds(self) -> bool:
        """Whether the drop is one that was allowed."""
        # Written so that a figure that is no number does not pass.
        return self.drop <= self.largest_drop

    def sentence(self) -> str:
        """The figures for a person to read."""
        return (
            f"mean Dice {self.dice_float:.4f} before and {self.dice_int8:.4f} with 8-bit numbers "
            f"({-self.drop:+.4f}, at most {-self.largest_drop:.4f} allowed) on {self.measured_on.cases} cases "
            f"'{self.measured_on.subset}' of {self.measured_on.dataset}"
        )

    def to_plain(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {"format": _FORMAT, **asdict(self)}

    def to_json(self) -> str:
        """The record as indented JSON text, as :meth:`from_json` reads it."""
        return json.dumps(self.to_plain(), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Int8Record:
        """The record in a text that :meth:`to_json` wrote.

        Raises:
            ValueError: for anything else.
        """
        try:
            fields = json.loads(text)
            if fields.pop("format") != _FORMAT:
                raise ValueError("it was written by another version")
            return cls(**{name: _READ.get(name, _as_it_is)(value) for name, value in fields.items()})
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"it is not such a record ({error})") from error


def _as_it_is(value: Any) -> Any:
    return value


def _cases(fields: dict[str, Any]) -> CasesUsed:
    return CasesUsed(**fields)


def _pairs(fields: dict[str, Any]) -> dict[str, tuple]:
    return {key: tuple(pair) for key, pair in fields.items()}


_READ = {
    "window": tuple,
    "seconds_per_case": tuple,
    "calibrated_on": _cases,
    "measured_on": _cases,
    "dice_by_label": _pairs,
}


@dataclass(frozen=True)
class Int8Model:
    """The folder of an 8-bit model whose record fits the weights and whose files are whole."""

    folder: Path
    record: Int8Record

    @property
    def graph_path(self) -> Path:
        """The file that OpenVINO reads."""
        return self.folder / GRAPH_NAME


def own_int8_folder(model: Model) -> Path:
    """Where the 8-bit form of a model goes: into the model's folder, of a shipped one into the user's models folder."""
    if model.folder.resolve().parent == SHIPPED_MODELS:
        return user_models_folder() / f"{model.folder.name}.int8"
    return model.folder / "int8"


def find_int8(model: Model) -> Int8Model:
    """The 8-bit form of a model: in its folder, or in the user's models folder.

    Raises:
        ModelError: if there is none that was made from these weights, or its files were changed; says which command
            makes one.
    """
    problems = []
    for folder in (model.folder / "int8", user_models_folder() / f"{model.card.name}.int8"):
        if (folder / RECORD_NAME).is_file():
            try:
                return _checked(folder, model)
            except ValueError as error:
                problems.append(f"the one in '{folder}' cannot be used: {error}")
    reason = "; ".join(problems) or "none has been made"
    raise ModelError(
        f"There is no 8-bit form of '{model.card.name}': {reason}.",
        advice=f"Make one from labelled cases: medsegai models quantise {name_or_folder(model)} "
        "--dataset DIR --split FILE; or choose another engine.",
    )


def _checked(folder: Path, model: Model) -> Int8Model:
    """The 8-bit model in a folder; ValueError with the reason where it does not fit."""
    try:
        record = Int8Record.from_json((folder / RECORD_NAME).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"its record cannot be read ({error.strerror})") from error
    card = model.card
    if record.weights_sha256 != card.weights_sha256:
        raise ValueError("it was made from other weights")
    if (record.window, record.channels) != (card.window, len(card.inputs)):
        raise ValueError("it was made for other windows")
    if not record.holds:
        raise ValueError(f"it is not accurate enough ({record.sentence()})")
    for name in (GRAPH_NAME, NUMBERS_NAME):
        if not (folder / name).is_file() or file_sha256(folder / name) != record.files_sha256.get(name):
            raise ValueError(f"{name} is missing or was changed")
    return Int8Model(folder, record)
