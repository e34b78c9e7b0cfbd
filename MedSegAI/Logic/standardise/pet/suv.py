"""A PET scan in standardised uptake values (SUV)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.pet.body_size import BodySize
from MedSegAI.Logic.standardise.pet.pet_image import images_of
from MedSegAI.Logic.standardise.pet.plane_factors import alike, factors_of_planes
from MedSegAI.Logic.standardise.pet.suv_factors import SuvFactors, stored_unit, suv_factors, suv_unit
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.standardise.step_checks import require_kind
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

BODY_MEASURES = ("bw", "lbm", "bsa")
LEAN_FORMULAS = {"janmahasatian": BodySize.LEAN_JANMAHASATIAN, "james": BodySize.LEAN_JAMES}
_STAGE = "computing SUV"


@dataclass(frozen=True)
class Suv(Step):
    """Activity, or a scanner's counts, to SUV, from what the DICOM header says of the patient and the injection.

    The rules are those of QIBA's vendor-neutral pseudo-code for SUV (QIBA Profile FDG-PET/CT), widened to the values
    of DICOM's attributes that it leaves out: decay correction ADMIN and NONE, and SUV that is stored as such.

    Args:
        by: What the uptake is related to: "bw" body weight (SUVbw, g/mL), "lbm" lean body mass (SUVlbm, g/mL),
            "bsa" body surface by Du Bois (SUVbsa, cm^2/mL).
        lean_formula: For "lbm": "janmahasatian" (Janmahasatian et al. 2005) or "james" (James 1976).

    Raises:
        ValueError: for other settings.
    """

    kind: ClassVar[str] = "suv"
    title: ClassVar[str] = "Standardised uptake values (SUV)"
    modalities: ClassVar[tuple[Modality, ...]] = (Modality.PET,)

    by: str = "bw"
    lean_formula: str = "janmahasatian"

    def __post_init__(self) -> None:
        if self.by not in BODY_MEASURES:
            raise ValueError(f"by is one of {', '.join(BODY_MEASURES)}, not '{self.by}'")
        if self.lean_formula not in LEAN_FORMULAS:
            raise ValueError(f"lean_formula is one of {', '.join(LEAN_FORMULAS)}, not '{self.lean_formula}'")

    @property
    def size(self) -> BodySize:
        """What the uptake is related to."""
        return {"bw": BodySize.WEIGHT, "bsa": BodySize.SURFACE}.get(self.by) or LEAN_FORMULAS[self.lean_formula]

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """The scan in SUV, float32.

        Args:
            volume: A PET scan (k, j, i) as it was read, with what its header says in ``volume.acquisition``.
            reporter: Told of each plane.

        Raises:
            InputError: for a scan that is no PET, that does not come from DICOM, whose values were changed, or whose
                header lacks what is needed; names the tag. No number is invented.
            Cancelled: if the reporter asked to stop.
        """
        require_kind(volume, self)
        _refuse_unsuited(volume)
        images = images_of(volume.acquisition)
        found = suv_factors(images, self.size)
        planes = factors_of_planes(found.factors, volume)
        record = StepRecord(self.kind, self._sentence(found), self.to_plain(), _figures(found, planes))
        array = _times(volume.array, planes, reporter)
        return Standardised(volume.after(record, array, unit=suv_unit(self.size)), _undo(planes))

    def _sentence(self, found: SuvFactors) -> str:
        low, high = min(found.factors), max(found.factors)
        by = f"{found.factors[0]:.6g}" if alike(found.factors) else f"{low:.6g} to {high:.6g}, by slice"
        return f"{suv_unit(self.size).value} by a factor of {by}: {found.how}."


def _refuse_unsuited(volume: Volume) -> None:
    if not volume.acquisition:
        raise InputError(
            f"'{volume.name}' comes without its DICOM header, and SUV needs the dose, the weight and the times in it.",
            advice="Read the DICOM series itself; NIfTI, NRRD and MetaImage files do not hold these.",
        )
    if any(record.step == Suv.kind for record in volume.steps):
        raise InputError(f"'{volume.name}' is in SUV already.", advice="Begin with the scan as it was read.")
    unit = stored_unit(images_of(volume.acquisition)[0])
    if unit is not Unit.ARBITRARY and volume.unit is not unit:
        raise InputError(
            f"The values of '{volume.name}' are not in {unit.value} any more, as the scanner stored them.",
            advice="Let SUV be the first step.",
        )


def _figures(found: SuvFactors, planes: np.ndarray) -> dict[str, float]:
    """The factor, or each plane's, and what it was computed from."""
    if np.all(planes == planes[0]):
        return {"factor": float(planes[0]), **found.figures}
    return {f"factor_of_plane_{k}": float(factor) for k, factor in enumerate(planes)} | dict(found.figures)


def _times(array: np.ndarray, planes: np.ndarray, reporter: Reporter) -> np.ndarray:
    result = np.empty(array.shape, dtype=np.float32)
    for k, factor in enumerate(planes):
        raise_if_cancelled(reporter)
        result[k] = array[k] * factor
        reporter.progress(k + 1, len(planes), _STAGE)
    return result


def _undo(planes: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: np.divide(array, planes.astype(np.float32)[:, None, None], dtype=np.float32)
