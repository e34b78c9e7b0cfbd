"""What is measured of a structure that was pointed at, such as a lung nodule: size, diameters, density."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.measure.diameters import PlaneDiameters, longest_diameter, plane_diameters
from MedSegAI.Logic.volume import Volume


@dataclass(frozen=True)
class NoduleMeasures:
    """What is measured of one structure.

    Diameters are from edge to edge, see ``Logic/measure/diameters.py``.

    Args:
        voxels: How many voxels it has.
        volume_mm3: Their volume.
        long_mm: Longest diameter in any one axial plane of the scan.
        short_mm: In the same plane, the longest diameter perpendicular to it.
        longest_3d_mm: Longest diameter in any direction.
        mean: Mean of the scan over its voxels, in the scan's unit: HU for a CT.
    """

    voxels: int
    volume_mm3: float
    long_mm: float
    short_mm: float
    longest_3d_mm: float
    mean: float

    @property
    def volume_ml(self) -> float:
        """Its volume in mL."""
        return self.volume_mm3 / 1000

    @property
    def diameter_mm(self) -> float:
        """Mean of the long and the short diameter, as Lung-RADS and the Fleischner Society ask for it."""
        return (self.long_mm + self.short_mm) / 2

    def to_plain(self) -> dict[str, Any]:
        """The measures as JSON values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> NoduleMeasures:
        """The measures that :meth:`to_plain` described."""
        return cls(**plain)


def measure_nodule(labels: Volume, value: int, scan: Volume) -> NoduleMeasures | None:
    """Measure one label.

    Args:
        labels: uint8 label map (k, j, i), LPS mm; the axial planes are those across the axis nearest to Superior.
        value: The label.
        scan: The scan on the same voxels: on the grid of ``labels``, or on a larger one that holds it.

    Returns:
        None where no voxel has the label.
    """
    box = Box.around(labels.array == value)
    if box is None:
        return None
    mask = labels.array[box.slices] == value
    spacing = labels.grid.spacing_kji
    widest = _widest_plane(mask, labels.grid)
    voxels = int(np.count_nonzero(mask))
    return NoduleMeasures(
        voxels=voxels,
        volume_mm3=voxels * labels.grid.voxel_volume_ml * 1000,
        long_mm=widest.long_mm,
        short_mm=widest.short_mm,
        longest_3d_mm=longest_diameter(mask, spacing),
        mean=float(np.mean(_voxels_of_scan(scan, labels.grid, box)[mask], dtype=np.float64)),
    )


def axial_diameters(labels: Volume, value: int) -> PlaneDiameters | None:
    """The longest diameter of a label in any one axial plane, and the longest one perpendicular to it there.

    Args:
        labels: uint8 label map (k, j, i), LPS mm; the axial planes are those across the axis nearest to Superior.
        value: The label; None comes back where no voxel has it.
    """
    box = Box.around(labels.array == value)
    return None if box is None else _widest_plane(labels.array[box.slices] == value, labels.grid)


def _widest_plane(mask: np.ndarray, grid: Grid) -> PlaneDiameters:
    """The diameters of the axial plane with the longest one; of several, the widest across."""
    # Columns of the direction are i, j, k; axes of the array k, j, i.
    upwards = 2 - int(np.argmax(np.abs(grid.direction_matrix[2])))
    spacing = [step for axis, step in enumerate(grid.spacing_kji) if axis != upwards]
    planes = (plane_diameters(plane, spacing) for plane in np.moveaxis(mask, upwards, 0))
    return max((plane for plane in planes if plane is not None), key=lambda plane: (plane.long_mm, plane.short_mm))


def _voxels_of_scan(scan: Volume, grid: Grid, box: Box) -> np.ndarray:
    start = np.round(scan.grid.kji_of(grid.lps_of(np.array(box.start)))).astype(int)
    return scan.array[Box(tuple(start), tuple(start + np.array(box.shape))).slices]
