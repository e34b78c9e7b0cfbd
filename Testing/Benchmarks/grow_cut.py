"""Slicer's own "grow from seeds" (fast GrowCut, Zhu et al. 2014), as an expert would use it to mend a label."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from MedSegAI.Logic.volume import Volume

INSIDE, OUTSIDE = 1, 2


def grow_cut(
    scan: Volume,
    mask: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
    *,
    border_mm: float,
    reach_mm: float,
    distance_penalty: float = 0.0,
) -> np.ndarray:
    """The label grown anew from seeds, (k, j, i) bool.

    GrowCut knows no present label, so the seeds say it: the label's voxels deeper than ``border_mm`` and the background
    farther than that from it, except within ``reach_mm`` of a stroke of the other kind, and the strokes.
    """
    from slicer_core.vtkSlicerSegmentationsModuleLogic import vtkImageGrowCutSegment
    from vtkmodules.util.numpy_support import vtk_to_numpy

    spacing = scan.grid.spacing_kji
    seeds = np.zeros(mask.shape, dtype=np.int16)
    seeds[(distance_to(~mask, spacing) > border_mm) & (distance_to(outside, spacing) > reach_mm)] = INSIDE
    seeds[(distance_to(mask, spacing) > border_mm) & (distance_to(inside, spacing) > reach_mm)] = OUTSIDE
    seeds[inside], seeds[outside] = INSIDE, OUTSIDE
    growing = vtkImageGrowCutSegment()
    growing.SetIntensityVolume(as_image(scan.array.astype(np.float32), spacing))
    growing.SetSeedLabelVolume(as_image(seeds, spacing))
    growing.SetDistancePenalty(distance_penalty)
    growing.Update()
    return vtk_to_numpy(growing.GetOutput().GetPointData().GetScalars()).reshape(mask.shape) == INSIDE


def distance_to(mask: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    if not mask.any():
        return np.full(mask.shape, np.inf)
    return ndimage.distance_transform_edt(~mask, sampling=spacing)


def as_image(array: np.ndarray, spacing_kji: tuple[float, float, float]) -> object:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    image = vtkImageData()
    image.SetDimensions(array.shape[::-1])
    image.SetSpacing(spacing_kji[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True))
    return image
