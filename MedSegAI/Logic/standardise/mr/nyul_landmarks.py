"""Landmarks of a standard histogram, learned from a set of MR scans and kept as a text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.mr.foreground import foreground_mask, require_foreground_kind
from MedSegAI.Logic.standardise.step_checks import require_numbers
from MedSegAI.Logic.volume import Volume

_FORMAT = "nyul-landmarks"
_VERSION = 1
_PERCENTILES = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)
_LOWEST, _HIGHEST = (0.0, 100.0)


@dataclass(frozen=True)
class NyulLandmarks:
    """Where a standard scan has its percentiles.

    Args:
        percentiles: Rising, within 0 to 100; the first and last are the ends of the standard scale.
        values: The standard value of each, rising.
        foreground: Which voxels the percentiles are taken of; a word of ``foreground.FOREGROUNDS``.
        scans: How many scans they were learned from.

    Raises:
        ValueError: if the two are not as long, too short or not rising.
    """

    percentiles: tuple[float, ...]
    values: tuple[float, ...]
    foreground: str = "auto"
    scans: int = 0

    def __post_init__(self) -> None:
        require_foreground_kind(self.foreground)
        percentiles, values = np.asarray(self.percentiles, float), np.asarray(self.values, float)
        if percentiles.ndim != 1 or percentiles.size < 2 or percentiles.shape != values.shape:
            raise ValueError("percentiles and landmarks must be two lists of the same length, of at least two numbers")
        if not (np.all(np.diff(percentiles) > 0) and percentiles[0] >= 0 and percentiles[-1] <= 100):
            raise ValueError("the percentiles must rise and lie within 0 to 100")
        if not (np.all(np.isfinite(values)) and np.all(np.diff(values) > 0)):
            raise ValueError("the landmarks must rise")

    def to_json(self) -> str:
        """The landmarks as a JSON text that :meth:`from_json` reads."""
        plain = {"format": _FORMAT, "version": _VERSION, "scans": self.scans, "foreground": self.foreground}
        plain |= {"percentiles": list(self.percentiles), "landmarks": list(self.values)}
        return json.dumps(plain, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> NyulLandmarks:
        """The landmarks that a text holds.

        Raises:
            InputError: if the text is no JSON, or has another form.
        """
        from jsonschema import Draft202012Validator

        try:
            plain = json.loads(text)
        except ValueError as error:
            raise InputError("The landmarks are not a JSON text.", advice="Train them again.") from error
        errors = sorted(Draft202012Validator(_schema()).iter_errors(plain), key=lambda one: list(one.path))
        if errors:
            where = "/".join(str(part) for part in errors[0].path)
            raise InputError(
                f"The landmarks do not have the right form{f' at {where!r}' if where else ''}: {errors[0].message}.",
                advice="Train them again, or mend the file.",
            )
        try:
            return cls(
                tuple(map(float, plain["percentiles"])),
                tuple(map(float, plain["landmarks"])),
                plain["foreground"],
                plain["scans"],
            )
        except ValueError as error:
            raise InputError(f"The landmarks are not usable: {error}.", advice="Train them again.") from error


def _schema() -> dict[str, object]:
    numbers = {"type": "array", "items": {"type": "number"}, "minItems": 2}
    properties = {
        "format": {"const": _FORMAT},
        "version": {"const": _VERSION},
        "scans": {"type": "integer", "minimum": 0},
        "foreground": {"type": "string"},
        "percentiles": numbers,
        "landmarks": numbers,
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def landmarks_of(volume: Volume, percentiles: tuple[float, ...], foreground: str) -> np.ndarray:
    """A scan's own values at the percentiles, of its foreground; float64."""
    mask = foreground_mask(volume.array, foreground, name=volume.name)
    return np.percentile(volume.array[mask], percentiles).astype(np.float64)


def train_landmarks(
    volumes: Iterable[Volume], *, percentiles: tuple[float, ...] = _PERCENTILES, foreground: str = "auto"
) -> NyulLandmarks:
    """Learn the standard histogram of a set of scans of one kind (Nyul, Udupa and Zhang, IEEE Trans Med Imaging
    19:143, 2000).

    Each scan's first and last landmark are brought to 0 and 100, its others with them; the standard landmarks are the
    means. The scans are looked at one after the other, so they may be read while they are asked for.

    Raises:
        InputError: for no scan at all, one whose voxels are not numbers or all alike, or one whose first and last
            percentile are the same.
    """
    sums, count = np.zeros(len(percentiles)), 0
    for volume in volumes:
        require_numbers(volume)
        own = landmarks_of(volume, percentiles, foreground)
        if not own[-1] > own[0]:
            raise InputError(
                f"'{volume.name}' has the same value, {own[0]:g}, at its first and last landmark.",
                advice="Leave it out, or choose another foreground.",
            )
        sums += _LOWEST + (own - own[0]) * (_HIGHEST - _LOWEST) / (own[-1] - own[0])
        count += 1
    if count == 0:
        raise InputError("There is no scan to learn landmarks from.", advice="Name at least one.")
    return NyulLandmarks(percentiles, tuple(float(one) for one in _rising(sums / count)), foreground, count)


def _rising(values: np.ndarray) -> np.ndarray:
    """Landmarks that coincide, as in scans of few grey values, a hair apart, so that the map stays invertible."""
    least = 1e-6 * (values[-1] - values[0])
    for at in range(1, values.size):
        values[at] = max(values[at], values[at - 1] + least)
    return values
