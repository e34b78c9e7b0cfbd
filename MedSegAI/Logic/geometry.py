"""Where voxels lie in the patient: one Grid type for the whole library.

Arrays are (k, j, i): slowest axis first, as numpy and SimpleITK's array views have them. ``Grid.shape`` and every
``Box`` follow the array. ``spacing``, ``origin`` and ``direction`` are exactly what SimpleITK returns: index order
(i, j, k), millimetres, LPS (x to the patient's Left, y to Posterior, z to Superior).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError, RegionError

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
SAME_POINT_MM = 1e-3
_ORTHONORMAL_TOLERANCE = 1e-3
_ROUNDING_VOXELS = 1e-6

Shape = tuple[int, int, int]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Box:
    """A half-open block of voxels, ``start <= (k, j, i) < stop``, in the index space of one grid."""

    start: Shape
    stop: Shape

    @classmethod
    def whole(cls, shape: Shape) -> Box:
        """The box that covers an array of ``shape`` (k, j, i)."""
        return cls((0, 0, 0), _triple_of_int(shape))

    @classmethod
    def empty(cls) -> Box:
        """A box without voxels."""
        return cls((0, 0, 0), (0, 0, 0))

    @classmethod
    def around(cls, mask: np.ndarray) -> Box | None:
        """The smallest box around the non-zero voxels of a (k, j, i) array, or None where there are none."""
        edges = []
        for axis in range(3):
            found = np.flatnonzero(np.any(mask, axis=tuple(a for a in range(3) if a != axis)))
            if found.size == 0:
                return None
            edges.append((int(found[0]), int(found[-1]) + 1))
        return cls(tuple(e[0] for e in edges), tuple(e[1] for e in edges))

    @classmethod
    def covering(cls, positions: np.ndarray) -> Box:
        """The smallest box whose voxel centres enclose all ``positions`` (n, 3), fractional (k, j, i)."""
        return cls._from_bounds(np.floor(positions.min(0)), np.ceil(positions.max(0)) + 1)

    @classmethod
    def inside(cls, positions: np.ndarray) -> Box:
        """The voxels whose centres lie within the bounds of ``positions`` (n, 3), fractional (k, j, i); or none."""
        low, high = positions.min(0) - _ROUNDING_VOXELS, positions.max(0) + _ROUNDING_VOXELS
        return cls._from_bounds(np.ceil(low), np.floor(high) + 1)

    @classmethod
    def _from_bounds(cls, start: np.ndarray, stop: np.ndarray) -> Box:
        return cls(tuple(int(a) for a in start), tuple(int(b) for b in stop))

    @property
    def shape(self) -> Shape:
        """Extent (k, j, i) in voxels; zero or more along each axis."""
        return tuple(max(0, b - a) for a, b in zip(self.start, self.stop))

    @property
    def is_empty(self) -> bool:
        """Whether the box holds no voxel."""
        return min(self.shape) == 0

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Index expression that cuts this box out of a (k, j, i) array."""
        return tuple(slice(a, b) for a, b in zip(self.start, self.stop))

    def clip(self, shape: Shape) -> Box:
        """The part of the box that lies inside an array of ``shape`` (k, j, i)."""
        return Box(
            tuple(min(max(a, 0), n) for a, n in zip(self.start, shape)),
            tuple(min(max(b, 0), n) for b, n in zip(self.stop, shape)),
        )

    def shift(self, offset: Shape) -> Box:
        """The box moved by ``offset`` (k, j, i) voxels."""
        return Box(
            tuple(a + o for a, o in zip(self.start, offset)),
            tuple(b + o for b, o in zip(self.stop, offset)),
        )

    def grow(self, margin: int) -> Box:
        """The box with ``margin`` voxels more on each side (not clipped)."""
        return Box(tuple(a - margin for a in self.start), tuple(b + margin for b in self.stop))

    def union(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            tuple(map(min, self.start, other.start)),
            tuple(map(max, self.stop, other.stop)),
        )


@dataclass(frozen=True)
class Grid:
    """The voxel lattice of a volume.

    Args:
        shape: Number of voxels (k, j, i).
        spacing: Distance between voxel centres along i, j, k in mm, all positive.
        origin: LPS position in mm of the centre of voxel (0, 0, 0).
        direction: Nine numbers, row-major 3 x 3; its columns are the LPS unit vectors of the i, j and k axes.

    Raises:
        InputError: for a spacing that is not positive and finite, a direction that is not orthonormal, an empty shape.
    """

    shape: Shape
    spacing: Triple = (1.0, 1.0, 1.0)
    origin: Triple = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _triple_of_int(self.shape))
        object.__setattr__(self, "spacing", tuple(float(s) for s in self.spacing))
        object.__setattr__(self, "origin", tuple(float(o) for o in self.origin))
        object.__setattr__(self, "direction", tuple(float(d) for d in np.asarray(self.direction).ravel()))
        self._refuse_nonsense()

    def _refuse_nonsense(self) -> None:
        if min(self.shape) < 1:
            raise InputError(f"The volume is empty: its shape is {self.shape}.", advice="Load a 3D volume with voxels.")
        if len(self.spacing) != 3 or not np.all(np.isfinite(self.spacing)) or min(self.spacing) <= 0:
            raise InputError(
                f"The voxel spacing {self.spacing} mm is not usable: each value must be positive.",
                advice="Mend the spacing in the file's header, or convert the original DICOM again.",
            )
        matrix = self.direction_matrix
        if not np.all(np.isfinite(self.origin)) or not np.allclose(
            matrix.T @ matrix, np.eye(3), atol=_ORTHONORMAL_TOLERANCE
        ):
            raise InputError(
                "The axes of the volume are not perpendicular unit vectors (sheared or missing orientation).",
                advice="Resample the volume to a regular grid, or convert the original DICOM again.",
            )

    @classmethod
    def from_index_to_lps(cls, shape: Shape, affine: np.ndarray) -> Grid:
        """The grid of ``shape`` (k, j, i) whose voxel (i, j, k) lies at ``affine @ (i, j, k, 1)`` in LPS mm."""
        affine = np.asarray(affine, dtype=float)
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        direction = affine[:3, :3] / np.where(spacing > 0, spacing, 1.0)
        return cls(shape, tuple(spacing), tuple(affine[:3, 3]), tuple(direction.ravel()))

    @classmethod
    def from_index_to_ras(cls, shape: Shape, affine: np.ndarray) -> Grid:
        """As :meth:`from_index_to_lps` for an affine in RAS mm (NIfTI, MRML)."""
        return cls.from_index_to_lps(shape, LPS_TO_RAS @ np.asarray(affine, dtype=float))

    @property
    def direction_matrix(self) -> np.ndarray:
        """3 x 3 float64; columns are the LPS unit vectors of the i, j and k axes."""
        return np.asarray(self.direction, dtype=float).reshape(3, 3)

    @property
    def spacing_kji(self) -> Triple:
        """Spacing in mm in array order (k, j, i)."""
        return self.spacing[::-1]

    @property
    def size(self) -> Shape:
        """Number of voxels in index order (i, j, k), as SimpleITK's ``GetSize``."""
        return self.shape[::-1]

    @property
    def voxel_count(self) -> int:
        """Number of voxels."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel in mL."""
        return float(np.prod(self.spacing)) / 1000.0

    @property
    def index_to_lps(self) -> np.ndarray:
        """4 x 4 float64 matrix from (i, j, k, 1) to LPS mm."""
        affine = np.eye(4)
        affine[:3, :3] = self.direction_matrix * np.asarray(self.spacing)
        affine[:3, 3] = self.origin
        return affine

    @property
    def index_to_ras(self) -> np.ndarray:
        """4 x 4 float64 matrix from (i, j, k, 1) to RAS mm."""
        return LPS_TO_RAS @ self.index_to_lps

    def lps_of(self, kji: np.ndarray) -> np.ndarray:
        """LPS mm (..., 3) of voxel positions (..., 3) given as (k, j, i), fractions allowed."""
        ijk = np.asarray(kji, dtype=float)[..., ::-1]
        affine = self.index_to_lps
        return ijk @ affine[:3, :3].T + affine[:3, 3]

    def kji_of(self, lps: np.ndarray) -> np.ndarray:
        """Voxel positions (..., 3) as (k, j, i), fractional, of LPS mm points (..., 3)."""
        inverse = np.linalg.inv(self.index_to_lps)
        return (np.asarray(lps, dtype=float) @ inverse[:3, :3].T + inverse[:3, 3])[..., ::-1]

    def corners_lps(self) -> np.ndarray:
        """LPS mm (8, 3) of the outer corners of the volume (half a voxel beyond the outermost centres)."""
        ends = [(-0.5, n - 0.5) for n in self.shape]
        return self.lps_of(np.array(list(itertools.product(*ends))))

    def crop(self, box: Box) -> Grid:
        """The grid of the voxels inside ``box``; a box that reaches outside pads, voxel positions stay.

        Raises:
            RegionError: if the box is empty.
        """
        if box.is_empty:
            raise RegionError(f"The region {box.start} to {box.stop} holds no voxel.", advice="Make the region larger.")
        return Grid(box.shape, self.spacing, tuple(self.lps_of(np.array(box.start))), self.direction)

    def same_frame(self, other: Grid, *, tolerance_mm: float = SAME_POINT_MM) -> bool:
        """Whether both grids have the same shape and every voxel at the same place to ``tolerance_mm``."""
        if self.shape != other.shape:
            return False
        return bool(np.abs(self.corners_lps() - other.corners_lps()).max() <= tolerance_mm)

    def to_plain(self) -> dict[str, Any]:
        """The grid as JSON values."""
        return {key: list(getattr(self, key)) for key in ("shape", "spacing", "origin", "direction")}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Grid:
        """The grid that :meth:`to_plain` described."""
        return cls(*(tuple(plain[key]) for key in ("shape", "spacing", "origin", "direction")))

    def overlap(self, other: Grid) -> float:
        """Fraction 0..1 of this grid's LPS bounding box that lies inside the other's bounding box."""
        mine, theirs = self.corners_lps(), other.corners_lps()
        low = np.maximum(mine.min(0), theirs.min(0))
        high = np.minimum(mine.max(0), theirs.max(0))
        return float(np.prod(np.clip(high - low, 0, None)) / np.prod(mine.max(0) - mine.min(0)))


def swap_lps_and_ras(points: np.ndarray | Sequence) -> np.ndarray:
    """Points (..., 3) in LPS mm as RAS mm, or in RAS mm as LPS mm: the map is its own inverse."""
    return np.asarray(points, dtype=float) * [-1.0, -1.0, 1.0]


def box_corners_lps(box_ras_mm: Sequence[float]) -> np.ndarray:
    """LPS mm (8, 3) of the corners of a box x0, x1, y0, y1, z0, z1 in RAS mm."""
    x, y, z = box_ras_mm[0:2], box_ras_mm[2:4], box_ras_mm[4:6]
    return swap_lps_and_ras(list(itertools.product(x, y, z)))


def _triple_of_int(values: tuple[int, ...]) -> Shape:
    if len(values) != 3:
        raise InputError(
            f"A 3D volume is needed; this one has {len(values)} axes.", advice="Choose a single 3D volume."
        )
    return tuple(int(v) for v in values)
