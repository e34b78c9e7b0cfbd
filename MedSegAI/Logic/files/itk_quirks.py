"""ITK as this library wants it: no chatter on stderr, no refusal for rounding in a NIfTI header."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()
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


@contextmanager
def stderr_kept_for_success() -> Iterator[None]:
    """Hold back what anybody writes to stderr; show it when the block ends well, log it quietly when it fails.

    The NIfTI and MetaImage code inside ITK prints its own complaint about a full disk, where one sentence is enough.
    """
    with _one_at_a_time, tempfile.TemporaryFile() as kept:
        try:
            real = os.dup(2)
        except OSError:
            # A program without a console has no stderr to hold back.
            yield
            return
        os.dup2(kept.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(real, 2)
            kept.seek(0)
            held_back = kept.read()
            if failed:
                _log.debug("ITK said: %s", held_back.decode(errors="replace").strip())
            else:
                os.write(real, held_back)
            os.close(real)
