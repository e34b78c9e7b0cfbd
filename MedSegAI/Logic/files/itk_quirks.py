"""ITK as this library wants it: no chatter on stderr, no refusal for rounding in a NIfTI header."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_PERMISSIVE = "ITK_NIFTI_SFORM_PERMISSIVE"


@contextmanager
def itk_made_quiet() -> Iterator[None]:
    """Keep ITK from writing warnings to stderr; its errors still arrive as exceptions.

    Inside, ITK also takes the nearest orthonormal axes for a NIfTI matrix that is sheared, which rounding alone does;
    whoever reads NIfTI must therefore look at the shear.
    """
    import SimpleITK as sitk

    shown, permissive = sitk.ProcessObject.GetGlobalWarningDisplay(), os.environ.get(_PERMISSIVE)
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    os.environ[_PERMISSIVE] = "ON"
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
        if permissive is None:
            del os.environ[_PERMISSIVE]
        else:
            os.environ[_PERMISSIVE] = permissive
