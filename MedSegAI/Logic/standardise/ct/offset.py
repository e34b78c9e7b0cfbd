"""Correct a scanner's constant error in Hounsfield units by what air, fat and soft tissue show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.ct.hounsfield import require_hounsfield
from MedSegAI.Logic.standardise.ct.landmarks import CtLandmarks, ct_landmarks
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.standardise.step_checks import require_kind, require_number_settings, require_numbers
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume


@dataclass(frozen=True)
class HuOffset(Step):
    """Shift a CT so that the air around the body lies at -1000 HU, with fat and soft tissue as witnesses.

    Air is the landmark, because its value depends on no patient; scanners differ in it by up to some tens of HU (Sieren
    et al., Med Phys 39:5757, 2012; Chen-Mayer et al., Med Phys 44:974, 2017). Where fat or soft tissue show that the
    error is not the same everywhere on the scale, a shift would do harm, and the scan is refused.

    Args:
        largest: HU; an error beyond it is taken for something else and refused.
        agree_within: HU by which fat and soft tissue may lie elsewhere than they should, after the shift. People differ
            by about 20 HU, and contrast agent makes some tissue brighter.

    Raises:
        ValueError: if a setting is not above 0, or ``largest`` is above 90 (beyond it lies lung).
    """

    largest: float = 60.0
    agree_within: float = 60.0

    kind: ClassVar[str] = "hu-offset"
    title: ClassVar[str] = "Hounsfield offset of the scanner"
    modalities: ClassVar[tuple[Modality, ...]] = (Modality.CT,)

    def __post_init__(self) -> None:
        require_number_settings(self)
        if not 0 < self.largest <= 90:
            raise ValueError(f"'largest' is {self.largest}, and must be above 0 and at most 90 HU")
        if self.agree_within <= 0:
            raise ValueError(f"'agree_within' is {self.agree_within}, and must be above 0 HU")

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """The shifted scan as float32; the shift is a multiple of 1/16 HU, so that undoing it gives integers exactly.

        Raises:
            InputError: for another kind of scan, values that are not HU, a scan without air around the body or with
                air that was cut off, and where the tissues do not agree on one shift.
        """
        require_kind(volume, self)
        require_numbers(volume)
        require_hounsfield(volume)
        raise_if_cancelled(reporter)
        found = ct_landmarks(volume, self.largest)
        offset = np.float32(round((-1000.0 - found.air) * 16) / 16)
        self._refuse_disagreement(volume, found, float(offset))
        record = StepRecord(self.kind, _sentence(found, float(offset)), self.to_plain(), _figures(found, float(offset)))
        shifted = np.add(volume.array, offset, dtype=np.float32)
        done = volume.after(record, shifted, unit=Unit.HOUNSFIELD)
        return Standardised(done, lambda array: np.subtract(array, offset, dtype=np.float32))

    def _refuse_disagreement(self, volume: Volume, found: CtLandmarks, offset: float) -> None:
        for name, measured, expected in found.witnesses():
            if abs(measured + offset - expected) > self.agree_within:
                raise InputError(
                    f"'{volume.name}' cannot be corrected by a shift: air lies at {found.air:.1f} HU, but {name} at "
                    f"{measured:.1f} HU, which would become {measured + offset:.1f} where about {expected:.0f} is "
                    "usual.",
                    advice="Leave the offset as it is, or look at the scan's calibration.",
                )


def _sentence(found: CtLandmarks, offset: float) -> str:
    witnesses = "".join(f", {name} {measured:.1f} HU" for name, measured, _ in found.witnesses())
    return f"Shifted by {offset:+.1f} HU: air around the body measured {found.air:.1f} HU{witnesses}."


def _figures(found: CtLandmarks, offset: float) -> dict[str, float]:
    figures = {"offset_hu": offset, "air_hu": found.air, "air_share": found.air_share}
    seen = {"fat_hu": found.fat, "soft_tissue_hu": found.soft_tissue}
    return figures | {name: value for name, value in seen.items() if value is not None}
