"""Show a part of the Hounsfield scale from black to white."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.ct.hounsfield import require_hounsfield
from MedSegAI.Logic.standardise.ct.window_presets import WindowPreset, window_preset
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.standardise.step_checks import require_kind, require_number_settings, require_numbers
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

OUTPUTS = ("unit", "display")


@dataclass(frozen=True)
class WindowCt(Step):
    """Map a window of HU linearly to 0..1, and cut off what lies beyond it.

    The line is the one DICOM calls LINEAR_EXACT (PS3.3, C.11.2.1.3.2): level - width/2 becomes 0, level + width/2
    becomes 1.

    Args:
        preset: A key of ``window_presets.WINDOW_PRESETS``, or "own".
        level: Middle of an own window, HU; not used by a preset.
        width: Width of an own window, HU; not used by a preset.
        output: "unit" for float32 0..1, "display" for uint8 0..255, rounded.

    Raises:
        ValueError: for a preset or output that does not exist, or a width that is not above 0.
    """

    preset: str = "mediastinum"
    level: float = 50.0
    width: float = 350.0
    output: str = "unit"

    kind: ClassVar[str] = "window"
    title: ClassVar[str] = "Window and level"
    modalities: ClassVar[tuple[Modality, ...]] = (Modality.CT,)

    @classmethod
    def settings_as_meant(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings as a person wrote them: a level or a width alone asks for an own window.

        Raises:
            ValueError: for a level or a width beside a preset, which has its own.
        """
        own = sorted({"level", "width"} & set(settings))
        if own and settings.get("preset", "own") != "own":
            raise ValueError(f"'{own[0]}' does not go with preset '{settings['preset']}', only with preset=own")
        return {**settings, "preset": "own"} if own else dict(settings)

    def __post_init__(self) -> None:
        require_number_settings(self)
        if self.output not in OUTPUTS:
            raise ValueError(f"'output' is '{self.output}', and must be one of {', '.join(OUTPUTS)}")
        if self.width <= 0:
            raise ValueError(f"a window of level {self.level} and width {self.width} shows nothing")
        _ = self.window

    @property
    def window(self) -> WindowPreset:
        """The window that is meant, HU."""
        if self.preset == "own":
            return WindowPreset("own", "Own", self.level, self.width)
        return window_preset(self.preset)

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """The window's values; cannot be undone, because what lay beyond the window is lost.

        Raises:
            InputError: for another kind of scan, or values that are not HU.
        """
        require_kind(volume, self)
        require_numbers(volume)
        require_hounsfield(volume)
        raise_if_cancelled(reporter)
        window = self.window
        below = int(np.count_nonzero(volume.array < window.low))
        above = int(np.count_nonzero(volume.array > window.high))
        to = "0..1" if self.output == "unit" else "0..255"
        sentence = (
            f"Window '{window.key}': {window.low:g}..{window.high:g} HU became {to}; {below} voxels below and {above} "
            "above were cut off."
        )
        figures = {"low_hu": window.low, "high_hu": window.high, "voxels_below": below, "voxels_above": above}
        record = StepRecord(self.kind, sentence, self.to_plain(), figures)
        return Standardised(volume.after(record, self._mapped(volume.array), unit=Unit.ARBITRARY))

    def _mapped(self, array: np.ndarray) -> np.ndarray:
        window = self.window
        values = np.subtract(array, np.float32(window.low), dtype=np.float32)
        values *= np.float32(1 / window.width)
        np.clip(values, 0, 1, out=values)
        if self.output == "unit":
            return values
        values *= np.float32(255)
        return np.rint(values, out=values).astype(np.uint8)
