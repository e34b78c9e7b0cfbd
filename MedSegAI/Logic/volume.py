"""A scan in memory: voxels, where they lie, what was measured and in which unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.step_record import StepRecord

if TYPE_CHECKING:
    import SimpleITK


class Modality(str, Enum):
    """What kind of scan a volume is, with DICOM's own codes."""

    CT = "CT"
    MR = "MR"
    PET = "PT"
    UNKNOWN = "OT"


class Unit(str, Enum):
    """What a voxel's number means."""

    HOUNSFIELD = "HU"
    SUV_BODY_WEIGHT = "SUVbw"
    SUV_LEAN_BODY_MASS = "SUVlbm"
    SUV_BODY_SURFACE = "SUVbsa"
    ACTIVITY = "Bq/mL"
    COUNTS = "counts"
    ARBITRARY = "arbitrary"
    PROBABILITY = "probability"


PATIENT_KEY = "patient_mark"
"""Under this key :attr:`Volume.acquisition` says whose scan it is, by a mark that names nobody."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3D scan.

    Args:
        array: Voxels (k, j, i), any real dtype; voxel [k, j, i] lies at ``grid.lps_of((k, j, i))``.
        grid: The voxel lattice, LPS mm.
        modality: What was measured.
        unit: Unit of ``array``.
        name: What the user calls it: a file or node name, used in messages.
        frame_of_reference: DICOM's Frame of Reference UID; scans that share one need no registration. Empty where it
            is not known.
        steps: What was done to the scan since it was read, in this order.
        acquisition: What the DICOM header says of the acquisition as far as a step needs it, as JSON values; empty
            where nothing is known. For PET it is what SUV needs, see ``Logic/standardise/pet/pet_image.py``.

    Raises:
        InputError: if the array is not 3D or its shape is not the grid's.
    """

    array: np.ndarray
    grid: Grid
    modality: Modality = Modality.UNKNOWN
    unit: Unit = Unit.ARBITRARY
    name: str = "volume"
    frame_of_reference: str = ""
    steps: tuple[StepRecord, ...] = ()
    acquisition: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or tuple(self.array.shape) != self.grid.shape:
            raise InputError(
                f"'{self.name}' has an array of shape {tuple(self.array.shape)} on a grid of shape {self.grid.shape}.",
                advice="Choose a single 3D volume.",
            )

    def with_array(self, array: np.ndarray, *, unit: Unit | None = None) -> Volume:
        """The same volume with other voxel values on the same grid."""
        return replace(self, array=array, unit=unit or self.unit)

    def after(self, step: StepRecord, array: np.ndarray, *, unit: Unit | None = None) -> Volume:
        """The same volume after a step of preparation: its new voxels on the same grid, and one record more."""
        return replace(self, array=array, unit=unit or self.unit, steps=(*self.steps, step))

    def crop(self, box: Box) -> Volume:
        """The voxels inside ``box`` (k, j, i; clipped to the volume) as a view, at their place in the patient."""
        inside = box.clip(self.grid.shape)
        return replace(self, array=self.array[inside.slices], grid=self.grid.crop(inside))

    @classmethod
    def from_sitk(
        cls,
        image: SimpleITK.Image,
        *,
        modality: Modality = Modality.UNKNOWN,
        unit: Unit = Unit.ARBITRARY,
        name: str = "volume",
    ) -> Volume:
        """A volume from a scalar 3D SimpleITK image; the voxels are copied."""
        import SimpleITK as sitk

        array = sitk.GetArrayFromImage(image)
        grid = Grid(array.shape, image.GetSpacing(), image.GetOrigin(), image.GetDirection())
        return cls(array, grid, modality, unit, name)

    def to_sitk(self) -> SimpleITK.Image:
        """The volume as a SimpleITK image (voxels copied; bool becomes uint8, float16 becomes float32)."""
        import SimpleITK as sitk

        array = self.array
        if array.dtype == np.bool_:
            array = array.astype(np.uint8)
        elif array.dtype == np.float16:
            array = array.astype(np.float32)
        image = sitk.GetImageFromArray(np.ascontiguousarray(array))
        image.SetSpacing(self.grid.spacing)
        image.SetOrigin(self.grid.origin)
        image.SetDirection(self.grid.direction)
        return image
