"""Steps of preparation that are made from a file: the reference of a histogram, the landmarks of a set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.standardise.catalogue import settings_of_text, step_from_plain
from MedSegAI.Logic.standardise.mr.histogram_match import HistogramMatch
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.standardise.step import Step
from MedSegAI.Logic.standardise.step_settings import step_settings


def step_from_text_and_files(text: str) -> Step:
    """As ``step_from_text``, where ``histogram-match:reference=FILE`` and ``nyul:landmarks=FILE`` name files.

    Raises:
        InputError: as ``step_from_text``, and for a file that cannot be read or used.
    """
    kind, settings = settings_of_text(text)
    if kind == HistogramMatch.kind and "reference" in settings and "quantiles" not in settings:
        reference = read_volume(str(settings.pop("reference")))
        found = HistogramMatch.to_reference(reference, **_only(settings, "foreground", of=kind))
        return step_from_plain(kind, found.to_plain())
    if kind == Nyul.kind and "landmarks" in settings and not isinstance(settings["landmarks"], list | tuple):
        learned = Nyul.from_json(_text_of(Path(str(settings.pop("landmarks"))).expanduser()))
        return step_from_plain(kind, learned.to_plain() | _only(settings, of=kind))
    return step_from_plain(kind, settings)


def settings_as_written(kind: type[Step]) -> dict[str, Any]:
    """Each setting of a kind of step as a word on the command line has it, and its default; FILE for a file."""
    settings = step_settings(kind)
    if kind is HistogramMatch:
        return {"reference": "FILE", "foreground": settings["foreground"]}
    return {"landmarks": "FILE"} if kind is Nyul else settings


def _only(settings: dict, *names: str, of: str) -> dict:
    unknown = sorted(set(settings) - set(names))
    if unknown:
        advice = f"Beside it there is: {', '.join(names)}." if names else "The file says the rest."
        raise InputError(f"'{unknown[0]}' cannot be set beside the file of '{of}'.", advice=advice)
    return settings


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"There is no file '{path}'.", advice="Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' could not be read: {error}.", advice="Choose the file of the landmarks.") from error
