"""Real MRML scenes and a real head, by names that read like sentences."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")

from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Code, Label, LabelTable, Terminology
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Modality, Unit, Volume

ANATOMY = Code("SCT", "123037004", "Anatomical Structure")
HIPPOCAMPUS = Code("SCT", "5366008", "Hippocampus")


@pytest.fixture
def an_open_scene():
    return new_scene()


@pytest.fixture
def a_scene(an_open_scene):
    return an_open_scene.mrml


@pytest.fixture(scope="session")
def a_head():
    """ICBM152, the average brain that nilearn carries: 1 mm, RAS, skull-stripped not."""
    nilearn = pytest.importorskip("nilearn", reason="needs nilearn's ICBM152 T1")
    sitk = pytest.importorskip("SimpleITK")
    path = Path(nilearn.__file__).parent / "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    return Volume.from_sitk(sitk.ReadImage(str(path)), modality=Modality.MR, name="ICBM152")


@pytest.fixture
def a_small_scan():
    """An oblique, anisotropic scan in which every voxel has its own value."""
    return Volume(numbered((4, 5, 6)), an_oblique_grid((4, 5, 6)), Modality.MR, Unit.ARBITRARY, "small scan")


@pytest.fixture
def a_table():
    """Two structures, one with a modifier and one with a name that upsets naive file formats."""
    return LabelTable(
        (
            Label(
                3,
                "left_hippocampus",
                "Left hippocampus",
                (0.9, 0.2, 0.1),
                Terminology(ANATOMY, HIPPOCAMPUS, Code("SCT", "7771000", "Left")),
            ),
            Label(7, "odd", "Odd; name: with | marks ~ and ^, é", (0.0, 0.5, 1.0)),
        )
    )


@pytest.fixture
def some_labels():
    """Two touching blocks, values 3 and 7, on an oblique grid."""
    array = np.zeros((12, 14, 16), np.uint8)
    array[2:6, 3:9, 4:8] = 3
    array[2:6, 3:9, 8:12] = 7
    return Volume(array, an_oblique_grid(array.shape), Modality.MR, Unit.ARBITRARY, "labels")


@pytest.fixture(scope="session")
def two_blobs_in_a_head(a_head):
    """Labels 1 and 2 where the hippocampi of the head lie (ellipsoids, LPS mm), and a smooth heat map over the left."""
    return ellipsoid_labels(a_head), smooth_heat(a_head)


def numbered(shape, dtype=np.int16):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def an_oblique_grid(shape):
    return Grid(shape, (0.7, 1.3, 2.9), (11.5, -40.25, 73.125), tuple(rotation(0.3, -0.7, 1.1).ravel()))


def rotation(x, y, z):
    def about(axis, angle):
        a, b = [(1, 2), (2, 0), (0, 1)][axis]
        matrix = np.eye(3)
        matrix[a, a] = matrix[b, b] = np.cos(angle)
        matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
        return matrix

    return about(0, x) @ about(1, y) @ about(2, z)


def all_48_directions():
    """Every direction matrix whose axes lie along the patient's: 6 permutations times 8 signs."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            yield tuple((np.eye(3)[list(order)].T * np.array(signs)).ravel())


def ellipsoid_labels(head):
    array = np.zeros(head.grid.shape, np.uint8)
    for value, centre in ((1, (26, 22, -13)), (2, (-26, 22, -13))):
        array[squared_distance(head.grid, centre, radii=(6, 16, 7)) < 1] = value
    return Volume(array, head.grid, head.modality, Unit.ARBITRARY, "labels")


def smooth_heat(head):
    squared = squared_distance(head.grid, (26, 16, -15), radii=(10, 10, 10))
    return head.with_array(np.exp(-squared / 2).astype(np.float32))


def squared_distance(grid, centre, *, radii):
    """Squared distance of each voxel from an LPS point in units of ``radii`` (x, y, z mm); for grids along the axes."""
    k, j, i = np.ogrid[tuple(slice(0, n) for n in grid.shape)]
    ck, cj, ci = grid.kji_of(np.array(centre, dtype=float))
    si, sj, sk = np.array(grid.spacing) / radii
    return ((k - ck) * sk) ** 2 + ((j - cj) * sj) ** 2 + ((i - ci) * si) ** 2


def whole(volume):
    return Box.whole(volume.grid.shape)


@pytest.fixture
def a_provenance():
    """A record whose texts would upset a naive file format."""
    return Provenance(
        model="hippocampus-mr",
        model_version="1.0",
        model_sha256="ab" * 32,
        engine="torch",
        device="cpu",
        input_name='a | "b"; c:d é 100%\\',
        grid_shape=(12, 14, 16),
        grid_spacing_mm=(0.7, 1.3, 2.9),
        regions=(LocalisedRegion("left", an_oblique_grid((4, 5, 6)), False, ((1, 3),)),),
        settings={"overlap": 0.5, "region": None},
        seconds=1.5,
        created="2030-01-01T00:00:00+00:00",
    )
