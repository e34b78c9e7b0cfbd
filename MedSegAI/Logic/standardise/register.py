"""Coarse linear registration of a head to a template: rigid, then affine, the same bits on every run.

Mattes mutual information (Mattes et al., IEEE TMI 2003) over every voxel of the template's brain at 8, 4 and 3 mm, with
regular-step gradient descent from several starts. The metric looks only inside the brain mask: outside it a template
without a skull would pull the skull of a whole head onto the edge of its brain.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.resample import canonical_grid, resample, resample_labels
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    import SimpleITK

_START_MM, _MIDDLE_MM, _FINE_MM = _LEVELS_MM = (8.0, 4.0, 3.0)
# Lengths are given to the optimiser in units of a head's radius, so that one step turns, stretches and shifts alike.
_UNIT_MM = 60.0
_BINS = 32
_PITCHES_DEGREES = (-20.0, 0.0, 20.0)
_SHIFTS_MM = (-30.0, 0.0, 30.0)
_CROWN_TO_CENTRE_MM = 75.0
_STARTS_KEPT = 3
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


@dataclass(frozen=True, eq=False)
class RegistrationTemplate:
    """A template and its mask at the resolutions of the registration; make it once with :meth:`prepare`."""

    images: dict[float, Volume]
    masks: dict[float, Volume]
    centre: np.ndarray

    @classmethod
    def prepare(cls, template: Volume, mask: Volume) -> RegistrationTemplate:
        """From a template (k, j, i) and a uint8 mask on any grid of the same LPS space."""
        images = _pyramid(template)
        masks = {mm: resample_labels(mask, image.grid) for mm, image in images.items()}
        middle = masks[_MIDDLE_MM]
        return cls(images, masks, middle.grid.lps_of(np.argwhere(middle.array).mean(0)))


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
    total = _STARTS_KEPT + 3
    with _one_thread():
        reporter.progress(0, total, _STAGE)
        images = _pyramid(scan)
        raise_if_cancelled(reporter)
        reporter.progress(1, total, _STAGE)
        fitted = []
        for number, start in enumerate(_best_starts(images[_START_MM], template, reporter)):
            raise_if_cancelled(reporter)
            reporter.progress(2 + number, total, _STAGE)
            fitted.append(_fit(start, images, template))
        if not fitted:
            raise InputError(
                f"'{scan.name}' could not be brought to overlap with the head template.",
                advice="Choose the region yourself (--roi).",
            )
        _, affine = min(fitted, key=lambda fit: fit[0])
        raise_if_cancelled(reporter)
        reporter.progress(total - 1, total, _STAGE)
        _optimise(affine, template, images[_FINE_MM], _FINE_MM, step=0.01, smallest=0.001, iterations=40)
        quality, coverage = _judge(affine, template, images[_MIDDLE_MM])
        reporter.progress(total, total, _STAGE)
    return Registration(_in_millimetres(affine), quality, coverage)


@contextmanager
def _one_thread() -> Iterator[None]:
    import SimpleITK as sitk

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _pyramid(volume: Volume) -> dict[float, Volume]:
    """The volume at each level's spacing, float32, its extreme intensities clipped."""
    images, source = {}, volume
    for mm in sorted(_LEVELS_MM):
        coarse = _shrunk(source, mm)
        images[mm] = resample(coarse, canonical_grid(coarse.grid, spacing_mm=(mm, mm, mm)))
        source = images[mm] if mm != _FINE_MM else volume
    low, high = np.percentile(images[_FINE_MM].array, [1.0, 99.5])
    return {mm: image.with_array(np.clip(image.array, low, high).astype(np.float32)) for mm, image in images.items()}


def _shrunk(volume: Volume, mm: float) -> Volume:
    """Means of whole blocks of voxels, as large as they fit into ``mm``: cheap, and nothing aliases."""
    import SimpleITK as sitk

    factors = [
        max(1, min(int(mm / spacing + 1e-6), size)) for spacing, size in zip(volume.grid.spacing, volume.grid.size)
    ]
    if max(factors) == 1:
        return volume
    return Volume.from_sitk(sitk.BinShrink(volume.to_sitk(), factors), name=volume.name)


def _best_starts(image: Volume, template: RegistrationTemplate, reporter: Reporter) -> list[SimpleITK.Euler3DTransform]:
    """A few rigid transforms that differ, each improved at the coarsest level from a guess at where the head is."""
    import SimpleITK as sitk

    found: list[tuple[float, SimpleITK.Euler3DTransform]] = []
    for centre, shift, pitch in itertools.product(_guessed_centres(image), _SHIFTS_MM, _PITCHES_DEGREES):
        raise_if_cancelled(reporter)
        rigid = sitk.Euler3DTransform()
        rigid.SetCenter((template.centre / _UNIT_MM).tolist())
        rigid.SetRotation(float(np.deg2rad(pitch)), 0.0, 0.0)
        rigid.SetTranslation(((centre + np.array([0.0, 0.0, shift]) - template.centre) / _UNIT_MM).tolist())
        try:
            value = _optimise(
                rigid, template, image, _START_MM, step=0.15, smallest=0.005, iterations=40, padding_mm=_PADDING_MM
            )
        except RuntimeError:
            # ITK refuses a start from which template and scan do not overlap.
            continue
        found.append((value, rigid))
    kept: list[SimpleITK.Euler3DTransform] = []
    for _, rigid in sorted(found, key=lambda entry: entry[0]):
        away = (np.abs(np.subtract(rigid.GetParameters(), other.GetParameters())).max() for other in kept)
        if all(distance > _DIFFERENT for distance in away):
            kept.append(rigid)
    return kept[:_STARTS_KEPT]


def _guessed_centres(image: Volume) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """LPS mm of where the brain's centre may be: the centre of mass, the middle of the scan, and below the crown."""
    bright = image.grid.lps_of(np.argwhere(image.array > image.array.mean()))
    corners = image.grid.corners_lps()
    crown = np.percentile(bright[:, 2], 99.5)
    below = np.array([np.median(bright[:, 0]), np.median(bright[:, 1]), crown - _CROWN_TO_CENTRE_MM])
    return bright.mean(0), (corners.min(0) + corners.max(0)) / 2, below


def _fit(
    rigid: SimpleITK.Euler3DTransform, images: dict[float, Volume], template: RegistrationTemplate
) -> tuple[float, SimpleITK.AffineTransform]:
    """Refine rigidly, then affinely at the middle level; returns the metric over all of the mask (lower is better)."""
    import SimpleITK as sitk

    image = images[_MIDDLE_MM]
    _optimise(rigid, template, image, _MIDDLE_MM, step=0.05, smallest=0.002, iterations=40)
    affine = sitk.AffineTransform(3)
    affine.SetCenter(rigid.GetCenter())
    affine.SetMatrix(rigid.GetMatrix())
    affine.SetTranslation(rigid.GetTranslation())
    _optimise(affine, template, image, _MIDDLE_MM, step=0.03, smallest=0.002, iterations=60)
    # Padded, so that a fit that leaves half of the brain outside the scan does not win by what is left.
    return _metric(affine, template, _MIDDLE_MM).MetricEvaluate(
        _in_units(template.images[_MIDDLE_MM]), _in_units(image, padding_mm=_PADDING_MM)
    ), affine


def _optimise(
    transform: SimpleITK.Transform,
    template: RegistrationTemplate,
    image: Volume,
    level_mm: float,
    *,
    step: float,
    smallest: float,
    iterations: int,
    padding_mm: float = 0.0,
) -> float:
    """Improve ``transform`` in place; step lengths in units of ``_UNIT_MM``. Returns the metric, lower is better."""
    method = _metric(transform, template, level_mm)
    method.SetOptimizerAsRegularStepGradientDescent(step, smallest, iterations, 0.6, 1e-8)
    method.SetOptimizerScales([1.0] * transform.GetNumberOfParameters())
    method.Execute(_in_units(template.images[level_mm]), _in_units(image, padding_mm=padding_mm))
    return method.GetMetricValue()


def _metric(
    transform: SimpleITK.Transform, template: RegistrationTemplate, level_mm: float
) -> SimpleITK.ImageRegistrationMethod:
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetMetricFixedMask(_in_units(template.masks[level_mm]))
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(transform, inPlace=True)
    return method


def _in_units(volume: Volume, *, padding_mm: float = 0.0) -> SimpleITK.Image:
    import SimpleITK as sitk

    image = volume.to_sitk()
    if padding_mm:
        width = [int(np.ceil(padding_mm / spacing)) for spacing in volume.grid.spacing]
        image = sitk.ConstantPad(image, width, width, float(volume.array.min()))
    image.SetSpacing([value / _UNIT_MM for value in image.GetSpacing()])
    image.SetOrigin([value / _UNIT_MM for value in image.GetOrigin()])
    return image


def _in_millimetres(affine: SimpleITK.AffineTransform) -> LinearTransform:
    turn = np.reshape(affine.GetMatrix(), (3, 3))
    centre = np.array(affine.GetCenter()) * _UNIT_MM
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = centre + np.array(affine.GetTranslation()) * _UNIT_MM - turn @ centre
    return LinearTransform(tuple(matrix.ravel()))


def _judge(affine: SimpleITK.AffineTransform, template: RegistrationTemplate, image: Volume) -> tuple[float, float]:
    """Correlation ratio and coverage inside the mask, both 0..1."""
    import SimpleITK as sitk

    fixed = template.images[_MIDDLE_MM]
    outside = float(image.array.min()) - 1.0
    moved = sitk.Resample(_in_units(image), _in_units(fixed), affine, sitk.sitkLinear, outside)
    brain = template.masks[_MIDDLE_MM].array > 0
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
