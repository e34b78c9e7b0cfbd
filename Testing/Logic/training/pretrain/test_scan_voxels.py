"""A part that is read is the same as that part of the whole, and no more than it needs is read."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.decathlon import read_case
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.training.config import DataConfig
from MedSegAI.Logic.training.data import load_cases
from MedSegAI.Logic.training.pretrain.scan_voxels import HeldScan, ReadScan, Scaling, open_scan

Z_SCORE = Normalisation("z_score", (0.5, 99.5))
WINDOW = Normalisation("range", clip_values=(100.0, 500.0))
OBLIQUE = (0, 0, 1, -1, 0, 0, 0, 1, 0)


def opened(path, rule, *, held, spacing=(1.0, 1.0, 1.0)):
    return open_scan(path, spacing_mm=spacing, normalisation=rule, most_held_bytes=1 << 30 if held else 0)


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nii", "scan.nrrd", "scan.mha"])
def test_a_part_that_is_read_is_that_part_of_the_whole(write_scan, name):
    path = write_scan(name, direction=OBLIQUE)
    whole, parts = opened(path, Z_SCORE, held=True), opened(path, Z_SCORE, held=False)
    assert isinstance(whole, HeldScan)
    assert isinstance(parts, ReadScan)
    assert whole.shape == parts.shape
    for box in (Box((3, 2, 1), (9, 20, 12)), Box((0, 0, 0), whole.shape), Box((1, 1, 1), (2, 2, 2))):
        np.testing.assert_allclose(parts.block(box), whole.block(box), atol=1e-4)


@pytest.mark.parametrize("spacing", [(0.7, 1.4, 1.0), (2.5, 1.0, 2.0)])
def test_a_part_of_another_spacing_is_that_part_of_the_whole(write_scan, spacing):
    path = write_scan("scan.nrrd", shape=(24, 30, 28), direction=OBLIQUE)
    whole = opened(path, WINDOW, held=True, spacing=spacing)
    parts = opened(path, WINDOW, held=False, spacing=spacing)
    assert whole.shape == parts.shape
    box = Box((2, 3, 1), tuple(size - 2 for size in whole.shape))
    np.testing.assert_allclose(parts.block(box), whole.block(box), atol=1e-4)


def test_a_scan_is_prepared_as_the_supervised_training_prepares_it(hippocampus_folder):
    name = "hippocampus_001"
    case = load_cases(hippocampus_folder, [name], DataConfig(labels={1: "anterior", 2: "posterior"}))[0]
    scan = opened(hippocampus_folder / "imagesTr" / f"{name}.nii.gz", Z_SCORE, held=True)
    np.testing.assert_array_equal(scan.block(Box.whole(scan.shape)), case.image)
    assert scan.shape == read_case(hippocampus_folder, name)[0].grid.shape


def test_a_small_part_of_a_large_scan_takes_little_memory(write_scan):
    path = write_scan("large.nrrd", np.random.default_rng(0).integers(0, 2000, (200, 200, 200)).astype(np.int16))
    scan = opened(path, WINDOW, held=False)
    tracemalloc.start()
    block = scan.block(Box((80, 20, 20), (96, 60, 60)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert block.shape == (16, 40, 40)
    assert scan.held_bytes == 0
    assert peak < path.stat().st_size / 4


@pytest.mark.parametrize("kind", ["none", "range", "z_score"])
def test_a_scaling_does_what_normalise_does(kind):
    from MedSegAI.Logic.standardise.intensity import normalise

    sample = (np.random.default_rng(0).gamma(2.0, 200.0, size=(10, 20, 20))).astype(np.int16)
    for rule in (Normalisation(kind, (1.0, 99.0)), Normalisation(kind, clip_values=(50.0, 900.0)), Normalisation(kind)):
        np.testing.assert_allclose(
            Scaling.of(sample, rule).apply(sample), normalise(sample, rule), rtol=1e-4, atol=1e-3
        )


def test_what_is_alike_within_the_limits_becomes_zeros():
    sample = np.array([[[0, 7, 7, 7, 9000]]])
    assert not Scaling.of(sample, Normalisation("z_score", clip_values=(7.0, 7.0))).apply(sample).any()


def test_what_cannot_be_learned_from_is_refused(write_scan):
    even = write_scan("even.nii.gz", np.full((4, 5, 6), 3, np.int16))
    with pytest.raises(InputError, match="holds no picture"):
        opened(even, Z_SCORE, held=True)
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[1:3] = 2
    with pytest.raises(InputError, match="looks like a label map, not a scan"):
        opened(write_scan("labels.nii.gz", labels), Z_SCORE, held=False)


def test_a_file_that_cannot_be_read_in_parts_counts_as_held(write_scan):
    path = write_scan("text.nrrd")
    raw = path.read_bytes()
    header, _, _ = raw.partition(b"\n\n")
    voxels = (np.random.default_rng(0).integers(0, 900, (20, 24, 22))).ravel()
    lines = [line for line in header.split(b"\n") if not line.startswith((b"encoding", b"endian"))]
    path.write_bytes(b"\n".join([*lines, b"encoding: text"]) + b"\n\n" + " ".join(map(str, voxels)).encode())
    scan = opened(path, WINDOW, held=False)
    assert scan.held_bytes == voxels.size * 2
