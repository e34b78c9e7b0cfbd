"""Coarse linear registration of a head to a template: rigid, then affine, the same bits on every run.

Mattes mutual information (Mattes et al., IEEE TMI 2003) over every voxel of the template's brain at 8, 4 and 3 mm, with
regular-step gradient descent from many starts. Fitting looks only inside the brain mask: outside it a template without
a skull would pull the skull of a whole head onto the edge of its brain. Half of the starts use a wider mask, because
the outline of the brain is seen from further away than what is in it.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.itk_registration import UNIT_MM, Stages, in_units, matrix_in_mm, one_thread
from MedSegAI.Logic.standardise.registration_template import (
    FINE_MM,
    MIDDLE_MM,
    START_MM,
    RegistrationTemplate,
    pyramid,
)
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    import SimpleITK

_BINS = 32
_PITCHES_DEGREES = (-20.0, 0.0, 20.0)
_SHIFTS_MM = (-30.0, 0.0, 30.0)
_CROWN_TO_CENTRE_MM = 75.0
_STARTS_KEPT = 10
_FITS_KEPT = 2
_DIFFERENT = 0.1
_PADDING_MM = 80.0
_STAGE = "registering to the template"


@dataclass(frozen=True)
class LinearTransform:
    """A map between two patient spaces: ``matrix`` (4 x 4, row-major) takes LPS mm to LPS mm."""

    matrix: tuple[float, ...]

    def apply(self, points: np.ndarray) -> np.ndarray:
        """LPS mm (..., 3) of LPS mm points (..., 3)."""
        matrix = np.reshape(self.matrix, (4, 4))
        return np.asarray(points, dtype=float) @ matrix[:3, :3].T + matrix[:3, 3]

    @property
    def array(self) -> np.ndarray:
        """The matrix as float64 (4, 4)."""
        return np.reshape(np.asarray(self.matrix, dtype=float), (4, 4))

    @property
    def inverse(self) -> LinearTransform:
        """The map in the other direction."""
        return LinearTransform(tuple(float(value) for value in np.linalg.inv(self.array).ravel()))

    @property
    def stretches(self) -> np.ndarray:
        """The three factors (largest first) by which it stretches space along perpendicular directions."""
        return np.linalg.svd(np.reshape(self.matrix, (4, 4))[:3, :3], compute_uv=False)


@dataclass(frozen=True)
class Registration:
    """How a scan lies to the template, and how well that fits.

    Args:
        transform: From the template's LPS mm to the scan's LPS mm.
        quality: Correlation ratio 0..1 (Roche et al., MICCAI 1998) inside the mask: the part of the template's
            variance that the scan's intensities explain, whatever the contrast. Good heads reach 0.2 to 0.8.
        coverage: Fraction 0..1 of the mask that lies inside the scan.
    """

    transform: LinearTransform
    quality: float
    coverage: float


def register(scan: Volume, template: RegistrationTemplate, *, reporter: Reporter) -> Registration:
    """Find the affine transform from a template to a scan of a head.

    Deterministic: no random sampling, and ITK runs on one thread meanwhile, because its metric adds up in the order in
    which threads finish.

    Args:
        scan: Any modality, any orientation, LPS mm; the head may be cropped, with or without skull.
        template: The prepared template.
        reporter: Told done/total of the stages; asked between them whether to stop.

    Returns:
        The registration. It is found for anything: look at ``quality`` and ``coverage`` before you trust it.

    Raises:
        InputError: if the scan and the template cannot be brought to overlap at all.
        Cancelled: if the user asked to stop.
    """
    with one_thread():
        steps = Stages(reporter, _STAGE, total=2 + _STARTS_KEPT + _FITS_KEPT + 1)
        images = pyramid(scan)
        steps.next()
        starts = _best_starts(images[START_MM], template, reporter)
        steps.next()
        if not starts:
            raise InputError(
                f"'{scan.name}' could not be brought to overlap with the head template.",
                advice="Choose the region yourself (--roi).",
            )
        for rigid in starts:
            _optimise(rigid, template, images, MIDDLE_MM, step=0.05, smallest=0.002, iterations=40)
            steps.next()
        affines = [_affine(rigid) for rigid in _best(starts, template, images)[:_FITS_KEPT]]
        for affine in affines:
            _optimise(affine, template, images, MIDDLE_MM, step=0.03, smallest=0.002, iterations=60)
            steps.next()
        affine = _best(affines, template, images)[0]
        _optimise(affine, template, images, FINE_MM, step=0.01, smallest=0.001, iterations=40)
        quality, coverage = _judge(affine, template, images)
        steps.finish()
    return Registration(LinearTransform(matrix_in_mm(affine)), quality, coverage)


def _best_starts(image: Volume, template: RegistrationTemplate, reporter: Reporter) -> list[SimpleITK.Euler3DTransform]:
    """Rigid transforms that differ, each improved at the coarsest level from a guess at where the head is."""
    import SimpleITK as sitk

    scan = in_units(image, padding_mm=_PADDING_MM)
    kept: list[SimpleITK.Euler3DTransform] = []
    for mask in (template.masks[START_MM], template.wide_mask):
        found: list[tuple[float, SimpleITK.Euler3DTransform]] = []
        for centre, shift, pitch in itertools.product(_guessed_centres(image), _SHIFTS_MM, _PITCHES_DEGREES):
            raise_if_cancelled(reporter)
            rigid = sitk.Euler3DTransform()
            rigid.SetCenter((template.centre / UNIT_MM).tolist())
            rigid.SetRotation(float(np.deg2rad(pitch)), 0.0, 0.0)
            rigid.SetTranslation(((centre + np.array([0.0, 0.0, shift]) - template.centre) / UNIT_MM).tolist())
            method = _method(rigid, mask, step=0.15, smallest=0.005, iterations=40)
            try:
                method.Execute(in_units(template.images[START_MM]), scan)
            except RuntimeError:
                # ITK refuses a start from which template and scan do not overlap.
                continue
            found.append((method.GetMetricValue(), rigid))
        kept += _that_differ(sorted(found, key=lambda entry: entry[0]), kept)[: _STARTS_KEPT // 2]
    return kept


def _that_differ(
    ranked: list[tuple[float, SimpleITK.Euler3DTransform]], others: list[SimpleITK.Euler3DTransform]
) -> list[SimpleITK.Euler3DTransform]:
    """The transforms in order of rank without those that lie close to a better or to another one."""
    kept: list[SimpleITK.Euler3DTransform] = []
    for _, rigid in ranked:
        away = (np.abs(np.subtract(rigid.GetParameters(), near.GetParameters())).max() for near in [*others, *kept])
        if all(distance > _DIFFERENT for distance in away):
            kept.append(rigid)
    return kept


def _guessed_centres(image: Volume) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """LPS mm of where the brain's centre may be: the centre of mass, the middle of the scan, and below the crown."""
    bright = image.grid.lps_of(np.argwhere(image.array > image.array.mean()))
    corners = image.grid.corners_lps()
    crown = np.percentile(bright[:, 2], 99.5)
    below = np.array([np.median(bright[:, 0]), np.median(bright[:, 1]), crown - _CROWN_TO_CENTRE_MM])
    return bright.mean(0), (corners.min(0) + corners.max(0)) / 2, below


def _affine(rigid: SimpleITK.Euler3DTransform) -> SimpleITK.AffineTransform:
    import SimpleITK as sitk

    affine = sitk.AffineTransform(3)
    affine.SetCenter(rigid.GetCenter())
    affine.SetMatrix(rigid.GetMatrix())
    affine.SetTranslation(rigid.GetTranslation())
    return affine


def _best(
    transforms: list[SimpleITK.Transform], template: RegistrationTemplate, images: dict[float, Volume]
) -> list[SimpleITK.Transform]:
    """The transforms, best first, by what they explain of the whole brain: half a brain outside the scan counts."""
    judged = [_judge(transform, template, images) for transform in transforms]
    order = sorted(range(len(judged)), key=lambda n: -judged[n][0] * judged[n][1])
    return [transforms[n] for n in order]


def _optimise(
    transform: SimpleITK.Transform,
    template: RegistrationTemplate,
    images: dict[float, Volume],
    level_mm: float,
    *,
    step: float,
    smallest: float,
    iterations: int,
) -> None:
    """Improve ``transform`` in place at one level; step lengths in units of ``UNIT_MM``."""
    method = _method(transform, template.masks[level_mm], step=step, smallest=smallest, iterations=iterations)
    # ITK refuses to go on once the scan has left the template; such a fit is judged as it is, and loses.
    with suppress(RuntimeError):
        method.Execute(in_units(template.images[level_mm]), in_units(images[level_mm]))


def _method(
    transform: SimpleITK.Transform, mask: Volume, *, step: float, smallest: float, iterations: int
) -> SimpleITK.ImageRegistrationMethod:
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetMetricFixedMask(in_units(mask))
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(transform, inPlace=True)
    method.SetOptimizerAsRegularStepGradientDescent(step, smallest, iterations, 0.6, 1e-8)
    method.SetOptimizerScales([1.0] * transform.GetNumberOfParameters())
    return method


def _judge(
    transform: SimpleITK.Transform, template: RegistrationTemplate, images: dict[float, Volume]
) -> tuple[float, float]:
    """Correlation ratio and coverage inside the mask, both 0..1."""
    import SimpleITK as sitk

    fixed, image = template.images[MIDDLE_MM], images[MIDDLE_MM]
    outside = float(image.array.min()) - 1.0
    moved = sitk.Resample(in_units(image), in_units(fixed), transform, sitk.sitkLinear, outside)
    brain = template.masks[MIDDLE_MM].array > 0
    seen = brain & (sitk.GetArrayFromImage(moved) > outside + 0.5)
    coverage = float(seen.sum() / brain.sum())
    if seen.sum() < _BINS:
        return 0.0, coverage
    expected, found = fixed.array[seen], sitk.GetArrayFromImage(moved)[seen]
    bins = np.searchsorted(np.quantile(found, np.arange(1, _BINS) / _BINS), found)
    count = np.bincount(bins, minlength=_BINS)
    mean = np.bincount(bins, expected, minlength=_BINS) / np.maximum(count, 1)
    explained = float(np.sum(count * (mean - expected.mean()) ** 2) / seen.sum())
    return explained / float(fixed.array[brain].var()), coverage
