"""Bring an MR scan's histogram to landmarks that were learned from a set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.mr.nyul_landmarks import NyulLandmarks, landmarks_of, train_landmarks
from MedSegAI.Logic.standardise.mr.value_map import ValueMap
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.standardise.step_checks import require_kind, require_numbers
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume


@dataclass(frozen=True)
class Nyul(Step):
    """Piecewise linear histogram standardisation (Nyul, Udupa and Zhang, IEEE Trans Med Imaging 19:143, 2000).

    :meth:`from_json` makes it of a stored text, :meth:`trained_on` of scans; ``nyul_landmarks`` learns them
    and writes them as a text.

    Args:
        percentiles: Of the scan's foreground, rising, within 0 to 100.
        landmarks: Standard value of each percentile.
        foreground: A word of ``foreground.FOREGROUNDS``.
        scans: How many scans the landmarks were learned from.

    Raises:
        ValueError: without landmarks, or for landmarks that do not rise.
    """

    percentiles: tuple[float, ...] = ()
    landmarks: tuple[float, ...] = ()
    foreground: str = "auto"
    scans: int = 0

    kind: ClassVar[str] = "nyul"
    title: ClassVar[str] = "Histogram landmarks (Nyul)"
    modalities: ClassVar[tuple[Modality, ...]] = (Modality.MR,)

    def __post_init__(self) -> None:
        if not len(self.landmarks):
            raise ValueError("it needs landmarks that were learned from a set of scans")
        for name in ("percentiles", "landmarks"):
            object.__setattr__(self, name, tuple(float(value) for value in getattr(self, name)))
        _ = self.learned

    @property
    def learned(self) -> NyulLandmarks:
        """The landmarks with how they were learned, to be stored."""
        return NyulLandmarks(self.percentiles, self.landmarks, self.foreground, self.scans)

    @classmethod
    def of(cls, learned: NyulLandmarks) -> Nyul:
        """The step that brings a scan to these landmarks."""
        return cls(learned.percentiles, learned.values, learned.foreground, learned.scans)

    @classmethod
    def from_json(cls, text: str) -> Nyul:
        """The step of a stored text.

        Raises:
            InputError: if the text does not hold landmarks.
        """
        return cls.of(NyulLandmarks.from_json(text))

    @classmethod
    def trained_on(cls, volumes: Iterable[Volume]) -> Nyul:
        """The step whose landmarks are learned from these scans, one after the other.

        Raises:
            InputError: as ``train_landmarks``, and for a scan of another kind.
        """

        def of_the_right_kind() -> Iterator[Volume]:
            for volume in volumes:
                require_kind(volume, cls)
                yield volume

        return cls.of(train_landmarks(of_the_right_kind()))

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """The mapped scan as float32; beyond the outer landmarks the map goes on with the slope of the whole.

        Raises:
            InputError: for another kind of scan, voxels that are not numbers, or percentiles that are all the same.
        """
        require_kind(volume, self)
        require_numbers(volume)
        raise_if_cancelled(reporter)
        own = landmarks_of(volume, self.percentiles, self.foreground)
        try:
            mapping = ValueMap.through(own, self.landmarks)
        except ValueError as error:
            raise InputError(
                f"The percentiles of '{volume.name}' are all the same value, {own[0]:g}.",
                advice="Choose another foreground.",
            ) from error
        sentence = (
            f"Brought percentiles {self.percentiles[0]:g} to {self.percentiles[-1]:g} of the foreground, "
            f"{own[0]:.6g} to {own[-1]:.6g}, to {self.landmarks[0]:g} to {self.landmarks[-1]:g} in "
            f"{len(mapping.old) - 1} straight pieces; landmarks of {self.scans} scans."
        )
        figures = {f"percentile_{at:g}": float(value) for at, value in zip(self.percentiles, own)}
        record = StepRecord(self.kind, sentence, self.to_plain(), figures)
        done = volume.after(record, mapping(volume.array), unit=Unit.ARBITRARY)
        return Standardised(done, mapping.inverse)
