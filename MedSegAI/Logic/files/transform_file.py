"""Linear transforms in the files that ITK, 3D Slicer and ANTs read and write."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import InputError, StorageError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.files.itk_quirks import itk_made_quiet
from MedSegAI.Logic.standardise.register import LinearTransform

_READABLE_ENDINGS = (".tfm", ".h5", ".txt", ".mat", ".xfm")
WRITABLE_TRANSFORM_ENDINGS = (".tfm", ".h5", ".txt")


def read_linear_transform(path: str | os.PathLike[str]) -> LinearTransform:
    """Read a rigid, similarity, affine or translation transform, or a chain of them.

    Args:
        path: .tfm, .h5, .txt, .mat or .xfm. What ITK and 3D Slicer store takes points of the reference to points of
            the scan that is moved (LPS mm), the direction in which resampling asks.

    Returns:
        The map from the reference's LPS mm to the scan's LPS mm.

    Raises:
        InputError: for a file that is missing or no transform, a 2D one, or one that bends space.
    """
    import SimpleITK as sitk

    source = Path(path).expanduser()
    if not source.is_file():
        raise InputError(f"There is no file '{source}'.", advice="Check the path.")
    try:
        with itk_made_quiet():
            found = sitk.ReadTransform(str(source))
    except RuntimeError as error:
        raise InputError(
            f"'{source}' is not a transform that can be read.", advice=f"Use one of: {', '.join(_READABLE_ENDINGS)}."
        ) from error
    if found.GetDimension() != 3 or not found.IsLinear():
        kind = "two-dimensional" if found.GetDimension() != 3 else "not linear: it bends space"
        raise InputError(f"The transform in '{source}' is {kind}.", advice="Use a rigid or affine transform.")
    matrix = np.eye(4)
    matrix[:3, 3] = found.TransformPoint((0.0, 0.0, 0.0))
    for axis, unit in enumerate(np.eye(3)):
        matrix[:3, axis] = np.array(found.TransformPoint(unit.tolist())) - matrix[:3, 3]
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-9:
        raise InputError(f"The transform in '{source}' cannot be undone.", advice="Make it again.")
    return LinearTransform(tuple(float(value) for value in matrix.ravel()))


def write_linear_transform(path: str | os.PathLike[str], transform: LinearTransform) -> None:
    """Write a transform that takes LPS mm of the reference to LPS mm of the moving scan, as ITK resamples.

    In 3D Slicer a scan put under it is moved onto the reference: Slicer reads such a file as the inverse.

    Raises:
        StorageError: if it cannot be written.
    """
    import SimpleITK as sitk

    affine = sitk.AffineTransform(3)
    affine.SetMatrix(transform.array[:3, :3].ravel().tolist())
    affine.SetTranslation(transform.array[:3, 3].tolist())
    with write_beside(path) as temporary:
        try:
            sitk.WriteTransform(affine, str(temporary))
        except RuntimeError as error:
            raise StorageError(
                f"The transform '{path}' could not be written.", advice="Choose another place."
            ) from error
