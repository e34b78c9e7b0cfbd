"""A linear transform in a file moves points as ITK does, read or written; what is none is refused."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError, StorageError
from MedSegAI.Logic.files.transform_file import (
    WRITABLE_TRANSFORM_ENDINGS,
    read_linear_transform,
    write_linear_transform,
)
from MedSegAI.Logic.standardise.register import LinearTransform

EULER = sitk.Euler3DTransform((3.0, -5.0, 8.0), 0.3, -0.2, 0.1, (10.0, 20.0, -30.0))
AFFINE = sitk.AffineTransform((1.1, 0.1, 0.0, -0.2, 0.9, 0.05, 0.0, 0.1, 1.3), (4.0, 5.0, 6.0), (1.0, 2.0, 3.0))
MATRIX = (0.8, -0.6, 0.0, 12.5, 0.6, 0.8, 0.0, -3.25, 0.0, 0.0, 1.0, 7.125, 0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("ending", [".tfm", ".h5", ".txt", ".mat", ".xfm"])
@pytest.mark.parametrize("transform", [EULER, AFFINE, sitk.CompositeTransform([EULER, AFFINE])], ids=["e", "a", "c"])
def test_points_go_where_itk_takes_them(tmp_path, ending, transform):
    path = tmp_path / f"moved{ending}"
    try:
        sitk.WriteTransform(transform, str(path))
        there = sitk.ReadTransform(str(path))
    except RuntimeError as error:
        pytest.skip(f"ITK does not write this kind as {ending}: {str(error).splitlines()[-1]}")
    found = read_linear_transform(path)
    points = np.random.default_rng(0).normal(0, 100, (20, 3))
    expected = [there.TransformPoint(point) for point in points.tolist()]
    np.testing.assert_allclose(found.apply(points), expected, atol=1e-6)


def test_what_is_no_linear_transform_in_space_is_refused(tmp_path):
    bending = sitk.BSplineTransformInitializer(sitk.Image([8, 8, 8], sitk.sitkUInt8), [2, 2, 2])
    sitk.WriteTransform(bending, str(tmp_path / "bending.tfm"))
    sitk.WriteTransform(sitk.Euler2DTransform(), str(tmp_path / "flat.tfm"))
    sitk.WriteTransform(sitk.ScaleTransform(3, (1.0, 0.0, 1.0)), str(tmp_path / "crushing.tfm"))
    (tmp_path / "text.tfm").write_text("no transform")
    for name, said in (
        ("bending", "bends space"),
        ("flat", "two-dimensional"),
        ("crushing", "cannot be undone"),
        ("text", "not a transform"),
        ("missing", "no file"),
    ):
        with pytest.raises(InputError, match=said):
            read_linear_transform(tmp_path / f"{name}.tfm")


@pytest.mark.parametrize("ending", WRITABLE_TRANSFORM_ENDINGS)
def test_a_transform_comes_back_and_maps_points_as_itk_does(tmp_path, ending):
    path = tmp_path / f"found{ending}"
    write_linear_transform(path, LinearTransform(MATRIX))
    np.testing.assert_allclose(read_linear_transform(path).matrix, MATRIX, atol=1e-12)
    point = (1.0, 2.0, 3.0)
    np.testing.assert_allclose(
        sitk.ReadTransform(str(path)).TransformPoint(point), LinearTransform(MATRIX).apply(np.array(point))
    )


def test_a_file_that_itk_cannot_write_leaves_nothing(tmp_path):
    with pytest.raises(StorageError, match="could not be written"):
        write_linear_transform(tmp_path / "found.jpg", LinearTransform(MATRIX))
    assert list(tmp_path.iterdir()) == []
