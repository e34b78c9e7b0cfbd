"""Cutting a volume along the patient's own planes, whatever way its voxels lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.volume import Volume

# For each plane: LPS unit vectors along the picture's rows (to the right) and columns (down), seen as radiologists
# hang it: the patient's right on the picture's left, anterior or superior on top.
_PLANES = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
}
PLANE_NAMES = tuple(_PLANES)
EDGE_LETTERS = {"axial": "RLAP", "coronal": "RLSI", "sagittal": "APSI"}
"""Patient directions at the left, right, top and bottom edge of a picture."""
DEPTH_AXIS = {"sagittal": 0, "coronal": 1, "axial": 2}
"""The LPS axis perpendicular to each plane."""
# The patient's directions along the LPS axes, the positive one first.
_AXIS_LETTERS = ("LR", "PA", "SI")


def place_of_plane(name: str, point_lps: Sequence[float]) -> str:
    """Where the plane ``name`` through an LPS point (x, y, z in mm) lies, such as "L 26.0 mm"."""
    axis = DEPTH_AXIS[name]
    positive, negative = _AXIS_LETTERS[axis]
    return f"{positive if point_lps[axis] >= 0 else negative} {abs(point_lps[axis]):.1f} mm"


@dataclass(frozen=True)
class Plane:
    """A square window on one of the patient's planes.

    Args:
        name: "axial", "coronal" or "sagittal".
        centre: LPS mm (x, y, z) of the picture's centre.
        width_mm: Width and height of the window.
        pixel_mm: Size of a pixel, the same both ways, so that a millimetre is a millimetre in the picture.
    """

    name: str
    centre: tuple[float, float, float]
    width_mm: float
    pixel_mm: float

    @property
    def edges(self) -> str:
        """Letters of the patient's directions at the left, right, top and bottom edge."""
        return EDGE_LETTERS[self.name]

    @property
    def pixels(self) -> int:
        """Pixels along each side."""
        return max(2, round(self.width_mm / self.pixel_mm))

    @property
    def place(self) -> str:
        """Where the plane lies, such as "L 26.0 mm"."""
        return place_of_plane(self.name, self.centre)

    @property
    def _axes(self) -> tuple[np.ndarray, np.ndarray]:
        """LPS unit vectors along the picture's rows (to the right) and columns (down)."""
        across, down = _PLANES[self.name]
        return np.array(across, dtype=float), np.array(down, dtype=float)

    def cut(self, volume: Volume, *, outside: float = 0.0) -> np.ndarray:
        """The volume's values on the plane, linearly interpolated: float32 (rows, columns), ``outside`` beyond it."""
        import SimpleITK as sitk

        across, down = self._axes
        corner = np.array(self.centre) - (across + down) * self.pixel_mm * (self.pixels - 1) / 2
        target = sitk.Image([self.pixels, self.pixels, 1], sitk.sitkUInt8)
        target.SetSpacing([self.pixel_mm, self.pixel_mm, 1.0])
        target.SetOrigin(corner.tolist())
        target.SetDirection(np.column_stack([across, down, np.cross(across, down)]).ravel().tolist())
        near = self.near(volume)
        if near is None:
            return np.full((self.pixels, self.pixels), outside, np.float32)
        cut = sitk.Resample(near.to_sitk(), target, sitk.Transform(), sitk.sitkLinear, outside, sitk.sitkFloat32)
        return sitk.GetArrayFromImage(cut)[0]

    def near(self, volume: Volume) -> Volume | None:
        """The voxels that the plane can touch, as a view, so that a large scan is not copied for one slice."""
        across, down = self._axes
        corners = [
            np.array(self.centre) + (a * across + b * down) * self.width_mm / 2 for a in (-1, 1) for b in (-1, 1)
        ]
        box = Box.covering(volume.grid.kji_of(np.array(corners))).grow(1).clip(volume.grid.shape)
        return None if box.is_empty else volume.crop(box)
