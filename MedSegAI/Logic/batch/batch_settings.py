"""What a batch makes of each of its cases: the same for all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from MedSegAI.Logic.files.step_files import step_from_text_and_files
from MedSegAI.Logic.models.registry import CARD_NAME, Model
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.catalogue import step_from_plain
from MedSegAI.Logic.standardise.step import Step

# They decide where and how fast, not what comes out: an engine runs only where it gives what torch gives.
_NO_MATTER = ("device", "batch", "engine")


@dataclass(frozen=True)
class PrepareStep:
    """One step of preparation by its kind and settings, as ``Logic/standardise/catalogue.py`` knows it."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_text(cls, text: str) -> PrepareStep:
        """The step that a word on the command line means, such as ``n4:shrink=4``; files it names are read now.

        Raises:
            InputError: for a kind or setting that does not exist, or a file that cannot be used.
        """
        step = step_from_text_and_files(text)
        return cls(step.kind, step.to_plain())

    def step(self) -> Step:
        """The step itself."""
        return step_from_plain(self.kind, self.settings)


@dataclass(frozen=True)
class BatchSettings:
    """The settings of a batch; everything in it can be sent to another computer.

    Args:
        model: Folder of the model.
        run: The settings of each segmentation.
        prepare: Steps that each scan goes through first, in this order.
        heat_map_of: Key, name or value of the label to explain; None makes no heat maps.
        dicom_segmentation: Whether a case that came as DICOM also gets a DICOM segmentation.
    """

    model: Path
    run: RunSettings = field(default_factory=RunSettings)
    prepare: tuple[PrepareStep, ...] = ()
    heat_map_of: str | None = None
    dicom_segmentation: bool = False

    def what_decides(self, model: Model) -> dict[str, Any]:
        """All that a result depends on beside the scan, as JSON values: two runs that agree in it give the same."""
        card = (model.folder / CARD_NAME).read_bytes()
        engine = self.run.engine
        return {
            "model": model.card.name,
            "weights": model.card.weights_sha256,
            "card": hashlib.sha256(card).hexdigest(),
            **{key: value for key, value in self.run.to_plain().items() if key not in _NO_MATTER},
            **({"engine": engine.value} if engine.may_change_labels else {}),
            "prepare": [[step.kind, dict(step.settings)] for step in self.prepare],
            "heat map": self.heat_map_of,
            "DICOM segmentation": self.dicom_segmentation,
        }


def digest_of(decides: Mapping[str, Any]) -> str:
    """A short name for what :meth:`BatchSettings.what_decides` gave."""
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def difference(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    """What differs, for a person, such as "overlap was 0.25 and is 0.5"."""
    if before is None:
        return "it is not known what they were"
    parts = []
    for key in dict.fromkeys((*now, *before)):
        if before.get(key) == now.get(key):
            continue
        if key in ("weights", "card"):
            parts.append(f"the model's {key} changed" if key == "weights" else "the model's card changed")
        else:
            parts.append(f"{key} was {_shown(before.get(key))} and is {_shown(now.get(key))}")
    return "; ".join(parts) or "nothing that is known"


def _shown(value: Any) -> str:
    return {True: "on", False: "off", None: "not set"}.get(value) if isinstance(value, bool | None) else f"{value}"
