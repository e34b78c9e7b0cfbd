"""How a parameter of each type lies in its node: the same texts and references as Slicer's own wrapper writes."""

from __future__ import annotations

import enum
import typing
from dataclasses import dataclass
from pathlib import Path, PurePath

import slicer


@dataclass(frozen=True)
class Default:
    """What a parameter is before anyone set it."""

    value: object


@dataclass(frozen=True)
class Decimals:
    """Digits after the point of the bound widget."""

    value: int


@dataclass(frozen=True)
class SingleStep:
    """Step of the bound widget."""

    value: float


class Validator:
    """Refuses values."""

    def validate(self, value: object) -> None:
        """Raise ValueError for a value that is not allowed."""
        raise NotImplementedError


@dataclass(frozen=True)
class WithinRange(Validator):
    """Numbers from ``minimum`` to ``maximum``."""

    minimum: float
    maximum: float

    def validate(self, value: object) -> None:
        """Refuse numbers outside."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not within {self.minimum} to {self.maximum}")


@dataclass(frozen=True)
class Minimum(Validator):
    """Numbers from ``minimum`` on."""

    minimum: float

    def validate(self, value: object) -> None:
        """Refuse smaller numbers."""
        if value < self.minimum:
            raise ValueError(f"{value} is less than {self.minimum}")


@dataclass(frozen=True)
class Maximum(Validator):
    """Numbers up to ``maximum``."""

    maximum: float

    def validate(self, value: object) -> None:
        """Refuse larger numbers."""
        if value > self.maximum:
            raise ValueError(f"{value} is more than {self.maximum}")


@dataclass(frozen=True)
class Choice(Validator):
    """One of some values."""

    choices: list

    def validate(self, value: object) -> None:
        """Refuse other values."""
        if value not in self.choices:
            raise ValueError(f"{value} is none of {self.choices}")


@dataclass(frozen=True)
class Kind:
    """A parameter's declared type.

    Args:
        plain: The type without its annotations.
        annotations: What stood beside it in ``Annotated``.
    """

    plain: type
    annotations: tuple[object, ...] = ()

    @classmethod
    def of(cls, declared: object) -> Kind:
        """Of a type hint.

        Raises:
            TypeError: for a type this host does not know; Slicer knows more (lists, dictionaries, parameter packs).
        """
        if typing.get_origin(declared) is typing.Annotated:
            plain, *annotations = typing.get_args(declared)
        else:
            plain, annotations = declared, []
        known = isinstance(plain, type) and (
            plain in (str, int, float, bool) or issubclass(plain, (PurePath, enum.Enum, slicer.vtkMRMLNode))
        )
        if not known:
            raise TypeError(f"This host's parameterNodeWrapper does not know the type {plain}.")
        return cls(plain, tuple(annotations))

    @property
    def is_node(self) -> bool:
        """Whether it is a MRML node."""
        return issubclass(self.plain, slicer.vtkMRMLNode)

    def find(self, kind: type) -> object | None:
        """The first annotation of a kind, or None."""
        return next((each for each in self.annotations if isinstance(each, kind)), None)

    def default(self) -> object:
        """The value of a parameter that names none."""
        if (given := self.find(Default)) is not None:
            return given.value
        if self.is_node:
            return None
        if issubclass(self.plain, enum.Enum):
            return next(iter(self.plain))
        return self.plain()

    def write(self, node: slicer.vtkMRMLScriptedModuleNode, name: str, value: object) -> None:
        """Put a value into the node.

        Raises:
            TypeError: if it is of another type.
            ValueError: if it is None or not allowed.
        """
        self._refuse_wrong(value)
        if self.is_node:
            # The empty text says that the reference was written, even where it is to no node.
            node.SetParameter(name, "")
            node.SetNodeReferenceID(name, value.GetID() if value is not None else None)
        elif isinstance(value, enum.Enum):
            node.SetParameter(name, value.name)
        else:
            node.SetParameter(name, str(value))

    def read(self, node: slicer.vtkMRMLScriptedModuleNode, name: str) -> object:
        """Take a value out of the node."""
        if self.is_node:
            return node.GetNodeReference(name)
        text = node.GetParameter(name)
        if self.plain is bool:
            return text == "True"
        if issubclass(self.plain, enum.Enum):
            return self.plain[text]
        return Path(text) if issubclass(self.plain, PurePath) else self.plain(text)

    def _refuse_wrong(self, value: object) -> None:
        if value is None and not self.is_node:
            raise ValueError("Value must not be None")
        accepted = (int, float) if self.plain is float else self.plain
        if value is not None and not isinstance(value, accepted):
            raise TypeError(f"Value must be of type {self.plain}, is {value!r}")
        for validator in self.annotations:
            if isinstance(validator, Validator):
                validator.validate(value)
