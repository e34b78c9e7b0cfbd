"""Linear transforms into the file that ITK, 3D Slicer and ``medsegai resample`` read."""

from __future__ import annotations

import os

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.standardise.register import LinearTransform

WRITABLE_TRANSFORM_ENDINGS = (".tfm", ".h5", ".txt")


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
