"""Volumes and segmentations are written whole or not at all, and 3D Slicer reads ours as its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError, LabelError, StorageError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.files.write import write_segmentation, write_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Code, Label, LabelTable, Terminology
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Volume

ROOT = Path(__file__).resolve().parents[3]
OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
WRITABLE = [".seg.nrrd", ".nrrd", ".nii.gz", ".nii", ".mha"]
ANATOMY, HIPPOCAMPUS = Code("SCT", "123037004", "Anatomical Structure"), Code("SCT", "5366008", "Hippocampus")


@pytest.fixture
def table():
    return LabelTable(
        (
            Label(
                1,
                "left_hippocampus",
                "Left hippocampus",
                (0.9, 0.25, 0.125),
                Terminology(ANATOMY, HIPPOCAMPUS, Code("SCT", "7771000", "Left")),
            ),
            Label(7, "right_hippocampus", "Right hippocampus", (0.0, 0.5, 1.0), Terminology(ANATOMY, HIPPOCAMPUS)),
            Label(9, "nothing", "Nothing: é, | and ~\\n", (0.2, 0.4, 0.6)),
        )
    )


@pytest.fixture
def labels():
    array = np.zeros((12, 14, 16), np.uint8)
    array[2:6, 3:9, 4:8] = 1
    array[2:7, 3:9, 8:13] = 7
    return Volume(array, Grid(array.shape, (0.7, 1.3, 2.9), (11.5, -40.25, 73.125), OBLIQUE), name="labels")


@pytest.fixture
def provenance():
    region = LocalisedRegion("left hippocampus", Grid((4, 5, 6)), False, ((1, 1), (2, 2)))
    return Provenance(
        "hippocampus-mr", "1.0", "ab" * 32, "torch", "cpu", "head é", (12, 14, 16), (0.7, 1.3, 2.9), (region,),
        {"overlap": 0.5, "region": None}, 1.5, "2026-11-24T05:00:00Z", fallbacks=('a "quoted"\nline',),
    )  # fmt: skip


@pytest.mark.parametrize("ending", WRITABLE)
def test_label_values_and_place_survive_in_every_format(tmp_path, labels, table, ending):
    write_segmentation(tmp_path / f"out{ending}", labels, table)
    back = read_segmentation(tmp_path / f"out{ending}")
    np.testing.assert_array_equal(back.labels.array, labels.array)
    assert back.labels.array.dtype == np.uint8
    assert back.labels.grid.same_frame(labels.grid)
    assert back.labels.name == "out"
    assert [path.name for path in tmp_path.iterdir()] == [f"out{ending}"]


def test_a_seg_nrrd_keeps_names_colours_terminology_and_provenance(tmp_path, labels, table, provenance):
    write_segmentation(tmp_path / "out.seg.nrrd", labels, table, provenance)
    back = read_segmentation(tmp_path / "out.seg.nrrd")
    assert back.table == table
    assert back.provenance == provenance


def test_a_plain_nrrd_keeps_the_provenance_and_names_nothing(tmp_path, labels, table, provenance):
    write_segmentation(tmp_path / "out.nrrd", labels, table, provenance)
    back = read_segmentation(tmp_path / "out.nrrd")
    assert back.provenance == provenance
    assert [(label.value, label.name) for label in back.table] == [(1, "Label 1"), (7, "Label 7")]
    assert back.table.find(1).colour != back.table.find(7).colour


@pytest.mark.parametrize("ending", [".nii.gz", ".mha"])
def test_other_formats_have_no_provenance(tmp_path, labels, table, provenance, ending):
    write_segmentation(tmp_path / f"out{ending}", labels, table, provenance)
    assert read_segmentation(tmp_path / f"out{ending}").provenance is None


def test_an_empty_segmentation_survives(tmp_path, labels, table):
    write_segmentation(tmp_path / "out.seg.nrrd", labels.with_array(np.zeros_like(labels.array)), table)
    back = read_segmentation(tmp_path / "out.seg.nrrd")
    assert not back.labels.array.any()
    assert back.table == table


def test_slicer_reads_names_colours_values_terminology_and_voxels(tmp_path, labels, table, provenance):
    slicer = pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")
    vtkMatrix4x4 = pytest.importorskip("vtk").vtkMatrix4x4
    vtk_to_numpy = pytest.importorskip("vtk.util.numpy_support").vtk_to_numpy
    write_segmentation(tmp_path / "out.seg.nrrd", labels, table, provenance)
    scene = slicer.vtkMRMLScene()
    node, storage = slicer.vtkMRMLSegmentationNode(), slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(node)
    scene.AddNode(storage)
    storage.SetFileName(str(tmp_path / "out.seg.nrrd"))
    assert storage.ReadData(node) == 1
    segmentation = node.GetSegmentation()
    assert segmentation.GetSourceRepresentationName() == "Binary labelmap"
    assert list(segmentation.GetSegmentIDs()) == [label.key for label in table]
    assert segmentation.GetNumberOfLayers() <= 2
    parameter = segmentation.GetConversionParameter("Reference image geometry")
    assert parameter.endswith("0;15;0;13;0;11;")
    for label in table:
        segment = segmentation.GetSegment(label.key)
        assert segment.GetName() == label.name
        np.testing.assert_allclose(segment.GetColor(), label.colour, atol=1e-5)
        assert segment.GetLabelValue() == label.value or not (labels.array == label.value).any()
        image = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(label.key, image)
        expected = labels.array == label.value
        if not expected.any():
            assert image.IsEmpty() or not vtk_to_numpy(image.GetPointData().GetScalars()).any()
            continue
        i0, i1, j0, j1, k0, k1 = image.GetExtent()
        found = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k1 - k0 + 1, j1 - j0 + 1, i1 - i0 + 1)
        assert found.sum() == expected.sum()
        np.testing.assert_array_equal(found > 0, expected[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1])
        matrix = vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        affine = np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
        np.testing.assert_allclose(affine, labels.grid.index_to_ras, atol=1e-5)
        tag = slicer.vtkSegment.GetTerminologyEntryTagName()
        if label.terminology:
            text = "SCT^123037004^Anatomical Structure~SCT^5366008^Hippocampus~"
            assert text in str(segment) and tag in str(segment)


def test_slicers_own_file_is_read(tmp_path, labels, table, provenance):
    slicer = pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")
    write_segmentation(tmp_path / "ours.seg.nrrd", labels, table, provenance)
    scene = slicer.vtkMRMLScene()
    node, storage = slicer.vtkMRMLSegmentationNode(), slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(node)
    scene.AddNode(storage)
    storage.SetFileName(str(tmp_path / "ours.seg.nrrd"))
    storage.ReadData(node)
    storage.SetFileName(str(tmp_path / "theirs.seg.nrrd"))
    assert storage.WriteData(node) == 1
    back = read_segmentation(tmp_path / "theirs.seg.nrrd")
    assert back.table == table
    assert back.provenance == provenance
    for label in back.table:
        theirs = back.labels.grid.lps_of(np.argwhere(back.labels.array == label.value))
        ours = labels.grid.lps_of(np.argwhere(labels.array == table.find(label.key).value))
        np.testing.assert_allclose(theirs, ours, atol=1e-5)


@pytest.mark.parametrize("ending", WRITABLE[1:])
def test_a_volume_survives_in_every_format(tmp_path, hippocampus_crops, ending):
    volume = read_volume(hippocampus_crops[0].image)
    volume = volume.with_array(volume.array.astype(np.float32) / 7)
    write_volume(tmp_path / f"out{ending}", volume, metadata={"MedSegAI_Kind": "heat map"})
    back = read_volume(tmp_path / f"out{ending}")
    np.testing.assert_array_equal(back.array, volume.array)
    assert back.grid.same_frame(volume.grid)
    if ending == ".nrrd":
        assert sitk.ReadImage(tmp_path / "out.nrrd").GetMetaData("MedSegAI_Kind") == "heat map"


def test_labels_must_be_uint8_and_named(tmp_path, labels, table):
    with pytest.raises(InputError, match="must be uint8, not int64"):
        write_segmentation(tmp_path / "out.nrrd", labels.with_array(labels.array.astype(np.int64)), table)
    with pytest.raises(LabelError, match=r"holds values without a name: \[7\]"):
        write_segmentation(tmp_path / "out.nrrd", labels, LabelTable((table.find(1),)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out", "out.png", "out.mhd", "out.nhdr"])
def test_an_ending_that_is_not_written_is_refused(tmp_path, labels, name):
    with pytest.raises(StorageError, match="does not end like an image") as caught:
        write_volume(tmp_path / name, labels)
    assert ".seg.nrrd" in caught.value.advice


def test_a_missing_folder_is_refused(tmp_path, labels, table):
    with pytest.raises(StorageError, match="there is no folder"):
        write_segmentation(tmp_path / "nowhere" / "out.seg.nrrd", labels, table)


@pytest.fixture
def a_full_disk(tmp_path):
    """A disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here (needs root)")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("ending", WRITABLE)
def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(a_full_disk, capfd, ending):
    target = a_full_disk / f"out{ending}"
    target.write_bytes(b"old")
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 80), dtype=np.uint8)
    with pytest.raises(StorageError, match="the disk is full"):
        write_volume(target, Volume(noise, Grid(noise.shape)))
    assert target.read_bytes() == b"old"
    assert list(a_full_disk.iterdir()) == [target]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("ending", WRITABLE)
def test_a_size_limit_is_one_sentence_and_leaves_nothing(tmp_path, ending):
    script = (
        "import resource, sys, numpy as np\n"
        "from MedSegAI.Logic.errors import StorageError\n"
        "from MedSegAI.Logic.files.write import write_volume\n"
        "from MedSegAI.Logic.geometry import Grid\n"
        "from MedSegAI.Logic.volume import Volume\n"
        "noise = np.random.default_rng(0).integers(0, 256, (60, 60, 60), dtype=np.uint8)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    write_volume(sys.argv[1], Volume(noise, Grid(noise.shape)))\n"
        "except StorageError as error:\n    print(error)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / f"out{ending}")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "could not be written: the disk is full. Free some space" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_writing_leaves_the_old_file(tmp_path):
    (tmp_path / "out.nrrd").write_bytes(b"old")
    script = (
        "import signal, sys, numpy as np\n"
        # A shell that starts the tests in the background passes on that Ctrl-C is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from MedSegAI.Logic.files.write import write_volume\n"
        "from MedSegAI.Logic.geometry import Grid\n"
        "from MedSegAI.Logic.volume import Volume\n"
        "noise = Volume(np.random.default_rng(0).random((160, 200, 200)), Grid((160, 200, 200)))\n"
        "print('start', flush=True)\n"
        "write_volume(sys.argv[1], noise)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "out.nrrd")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.readline()
    while len(list(tmp_path.iterdir())) < 2 and process.poll() is None:
        pass
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) in (-signal.SIGINT, 1, 130)
    process.stdout.close()
    assert (tmp_path / "out.nrrd").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "out.nrrd"]


def test_what_itk_says_is_passed_on_when_the_disk_is_well(tmp_path, labels, monkeypatch):
    def failing(path):
        raise RuntimeError("ITK ERROR: something odd")

    monkeypatch.setattr("MedSegAI.Logic.files.write.refuse_broken", failing)
    with pytest.raises(StorageError, match="ITK says: ITK ERROR: something odd"):
        write_volume(tmp_path / "out.nrrd", labels)
    assert list(tmp_path.iterdir()) == []
