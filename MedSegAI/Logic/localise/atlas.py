"""The head templates that localisers register to.

``icbm152-t1`` is the symmetric ICBM 2009a average T1 brain at 1 mm (Fonov et al., NeuroImage 2011), which the package
nilearn carries in its own files; nothing is downloaded.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import DependencyError, ModelError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.standardise.registration_template import RegistrationTemplate
from MedSegAI.Logic.standardise.resample import canonical_grid, resample
from MedSegAI.Logic.volume import Modality, Volume

ICBM152_T1 = "icbm152-t1"
_FILE = "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
# Its voxels are 0 outside the brain and in 1..255 inside.
_BRAIN_ABOVE = 20
_MASK_MM = 2.0


def icbm152_t1() -> Volume:
    """The ICBM152 T1 brain (k, j, i) uint8, 1 mm, MNI space in LPS mm.

    Raises:
        DependencyError: if nilearn is not installed, or carries the file no longer.
    """
    return read_volume(icbm152_t1_path(), modality=Modality.MR)


def icbm152_t1_path() -> Path:
    """Where nilearn keeps its ICBM152 T1; found without importing nilearn, which takes seconds.

    Raises:
        DependencyError: if nilearn is not installed, or carries the file no longer.
    """
    package = importlib.util.find_spec("nilearn")
    if package is None or not package.submodule_search_locations:
        raise DependencyError(
            "The head template comes with the package nilearn, which is not installed.",
            advice="Install it: pip install nilearn.",
        )
    path = Path(package.submodule_search_locations[0]) / _FILE
    if not path.is_file():
        raise DependencyError(
            f"This version of nilearn does not carry the head template '{path.name}'.",
            advice="Install another version: pip install nilearn==0.14.1.",
        )
    return path


@functools.cache
def registration_template(name: str) -> RegistrationTemplate:
    """The template of this name, ready to register to; the first call takes a second, later ones nothing.

    Raises:
        ModelError: if no template has this name.
        DependencyError: if its package is missing.
    """
    if name != ICBM152_T1:
        raise ModelError(f"There is no head template '{name}'.", advice=f"Use '{ICBM152_T1}' in the model's card.")
    template = icbm152_t1()
    return RegistrationTemplate.prepare(template, _brain_mask(template))


def _brain_mask(template: Volume) -> Volume:
    """uint8 mask of the brain with its ventricles and sulci, at 2 mm."""
    import SimpleITK as sitk

    coarse = resample(template, canonical_grid(template.grid, spacing_mm=(_MASK_MM,) * 3))
    mask = coarse.with_array((coarse.array > _BRAIN_ABOVE).astype(np.uint8)).to_sitk()
    closed = sitk.BinaryFillhole(sitk.BinaryMorphologicalClosing(mask, [2, 2, 2]))
    return Volume.from_sitk(closed, name="brain")
