"""A transform that is written is read back the same, also by ITK."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.transform_file import read_linear_transform
from MedSegAI.Logic.files.write_transform import WRITABLE_TRANSFORM_ENDINGS, write_linear_transform
from MedSegAI.Logic.standardise.register import LinearTransform

MATRIX = (0.8, -0.6, 0.0, 12.5, 0.6, 0.8, 0.0, -3.25, 0.0, 0.0, 1.0, 7.125, 0.0, 0.0, 0.0, 1.0)


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
