"""The names, colours and SNOMED CT codes of the structures a segmentation holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from MedSegAI.Logic.errors import LabelError


@dataclass(frozen=True)
class Code:
    """A coded concept: scheme designator (SCT, DCM), code value, meaning (DICOM PS3.3 section 8)."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Terminology:
    """What a segment is, as DICOM SEG and Slicer's terminologies say it (DICOM PS3.16 CID 7150 and following)."""

    category: Code
    type: Code
    type_modifier: Code | None = None


@dataclass(frozen=True)
class Label:
    """One structure.

    Args:
        value: Its number in a uint8 label map, 1 to 255.
        key: Short lower-case name for the command line and files, such as ``left_anterior_hippocampus``.
        name: The name a person reads.
        colour: Red, green, blue, each 0..1.
        terminology: SNOMED CT triplet, where there is one.
    """

    value: int
    key: str
    name: str
    colour: tuple[float, float, float]
    terminology: Terminology | None = None


@dataclass(frozen=True)
class LabelTable:
    """The labels of one segmentation, in ascending order of value; 0 is background and not in the table."""

    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        values = [label.value for label in self.labels]
        keys = [label.key for label in self.labels]
        if len(set(values)) != len(values) or len(set(keys)) != len(keys):
            raise LabelError("Two labels share a value or a key.", advice="Give each label its own value and key.")
        if any(not 1 <= value <= 255 for value in values):
            raise LabelError(f"Label values must lie in 1..255; got {values}.", advice="Renumber the labels.")
        object.__setattr__(self, "labels", tuple(sorted(self.labels, key=lambda label: label.value)))

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def to_plain(self) -> list[dict[str, Any]]:
        """The table as JSON values."""
        return [asdict(label) for label in self.labels]

    @classmethod
    def from_plain(cls, plain: list[dict[str, Any]]) -> LabelTable:
        """The table that :meth:`to_plain` described."""
        return cls(tuple(_label(entry) for entry in plain))

    def find(self, wanted: str | int) -> Label:
        """The label with this key, name or value.

        Raises:
            LabelError: if there is none; the message lists those there are.
        """
        for label in self.labels:
            if str(wanted).casefold() in (label.key.casefold(), label.name.casefold(), str(label.value)):
                return label
        known = ", ".join(f"{label.key} ({label.value})" for label in self.labels)
        raise LabelError(f"There is no label '{wanted}'.", advice=f"Choose one of: {known}.")


def _label(plain: dict[str, Any]) -> Label:
    coded = plain.get("terminology")
    terminology = None
    if coded is not None:
        codes = {part: Code(**code) if code else None for part, code in coded.items()}
        terminology = Terminology(**codes)
    return Label(plain["value"], plain["key"], plain["name"], tuple(plain["colour"]), terminology)
