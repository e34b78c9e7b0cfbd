"""One search for a rigid transform: Mattes mutual information under SimpleITK, from one start at one level."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.standardise.itk_registration import UNIT_MM, in_units, matrix_in_mm
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    import SimpleITK

_BINS = 32


def rigid(centre: np.ndarray, angles: np.ndarray, shift: np.ndarray) -> SimpleITK.Euler3DTransform:
    """A rigid transform in the search's own units.

    Args:
        centre: LPS mm (3,) that it turns about.
        angles: Radians (3,) about x, y, z.
        shift: mm (3,).
    """
    import SimpleITK as sitk

    transform = sitk.Euler3DTransform()
    transform.SetCenter((centre / UNIT_MM).tolist())
    transform.SetRotation(*(float(angle) for angle in angles))
    transform.SetTranslation((shift / UNIT_MM).tolist())
    return transform


def search(
    start: SimpleITK.Euler3DTransform,
    reference: Volume,
    moving: Volume,
    *,
    step: float,
    smallest: float,
    iterations: int,
    sampled: float = 1.0,
    seed: int = 0,
    mask: Volume | None = None,
) -> SimpleITK.Euler3DTransform:
    """The best transform near ``start``, which stays as it is.

    Args:
        start: Where to begin, in the search's units; also given back where the two scans do not overlap from there.
        reference: The scan that stays, at this level.
        moving: The scan that is brought to it, at this level.
        step: First step, in radians or in units of ``UNIT_MM``.
        smallest: Steps below it end the search.
        iterations: Most steps.
        sampled: Fraction of the reference's voxels that are looked at.
        seed: Of the choice of these voxels; the same seed gives the same bits.
        mask: uint8 on the reference's grid: only where it is not 0 is looked.
    """
    import SimpleITK as sitk

    found = sitk.Euler3DTransform(start)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    if sampled < 1:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(sampled, seed + 1)
    else:
        method.SetMetricSamplingStrategy(method.NONE)
    if mask is not None:
        method.SetMetricFixedMask(in_units(mask))
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(found, inPlace=True)
    method.SetOptimizerAsRegularStepGradientDescent(step, smallest, iterations, 0.6, 1e-8)
    method.SetOptimizerScales([1.0] * 6)
    # ITK gives up where the scans have left each other; such a search is judged by where it stands, and loses.
    with suppress(RuntimeError):
        method.Execute(in_units(reference), in_units(moving))
    return found


def in_millimetres(transform: SimpleITK.Euler3DTransform) -> LinearTransform:
    """The transform from the reference's LPS mm to the moving scan's LPS mm."""
    return LinearTransform(matrix_in_mm(transform))
