"""Read a few planes at a time, a file gives what it gives when it is read whole."""

from __future__ import annotations

import gzip
import shutil

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.planes.file_planes import FilePlanes
from MedSegAI.Logic.files.planes.open_planes import open_planes
from MedSegAI.Logic.files.planes.volume_planes import VolumePlanes
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Modality, Unit, Volume
from Testing.synthetic_series import a_pattern, write_series

SHAPE = (7, 6, 5)
TURN = np.linalg.qr(np.array([[1.0, 0.2, 0.1], [-0.3, -1.0, 0.2], [0.1, 0.2, 1.0]]))[0]
GRID = Grid(SHAPE, (0.7, 1.1, 2.5), (11.0, -22.0, 33.5), tuple(TURN.ravel()))


def scan(dtype=np.int16, grid=GRID):
    values = np.random.default_rng(4).integers(-100, 100, grid.shape)
    return Volume(np.abs(values).astype(dtype) if np.dtype(dtype).kind == "u" else values.astype(dtype), grid)


def written(path, volume=None, *, compress=False):
    sitk.WriteImage((volume or scan()).to_sitk(), str(path), useCompression=compress)
    return path


def assert_the_same_as_whole(path, *, kind=FilePlanes, **options):
    whole = read_volume(path, **options)
    source = open_planes(path, **options)
    assert isinstance(source, kind)
    assert source.grid.same_frame(whole.grid, tolerance_mm=1e-9)
    assert source.dtype == whole.array.dtype
    assert (source.modality, source.unit, source.name) == (whole.modality, whole.unit, whole.name)
    assert (source.steps, source.frame_of_reference) == (whole.steps, whole.frame_of_reference)
    for start, stop in ((0, 2), (2, 3), (5, len(whole.array)), (1, 4), (0, len(whole.array))):
        planes = source.planes(start, stop)
        assert planes.dtype == whole.array.dtype and planes.dtype.isnative
        np.testing.assert_array_equal(planes, whole.array[start:stop])
    source.close()


@pytest.mark.parametrize("compress", [False, True], ids=["raw", "compressed"])
@pytest.mark.parametrize("ending", [".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_each_format_and_dtype(tmp_path, ending, dtype, compress):
    assert_the_same_as_whole(written(tmp_path / f"scan{ending}", scan(dtype), compress=compress))


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".nii"])
def test_the_other_byte_order(tmp_path, ending):
    path = written(tmp_path / f"scan{ending}")
    data = path.read_bytes()
    start = len(data) - scan().array.nbytes
    header, voxels = data[:start], np.frombuffer(data[start:], "<i2").astype(">i2").tobytes()
    if ending == ".nii":
        header = bytearray(header)
        for place, size, count in ((0, 4, 1), (40, 2, 8), (70, 2, 2), (76, 4, 11), (252, 2, 2), (256, 4, 18)):
            for n in range(count):
                at = slice(place + n * size, place + (n + 1) * size)
                header[at] = header[at][::-1]
    header = bytes(header).replace(b"endian: little", b"endian: big").replace(b"MSB = False", b"MSB = True")
    path.write_bytes(header + voxels)
    np.testing.assert_array_equal(read_volume(path).array, scan().array)
    assert_the_same_as_whole(path)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize(("slope", "intercept"), [(0.1, -3.7), (2.0, 0.0), (1.0, 5.0)])
def test_a_nifti_slope_and_intercept(tmp_path, ending, slope, intercept):
    path = written(tmp_path / "scan.nii")
    data = bytearray(path.read_bytes())
    data[112:120] = np.array([slope, intercept], "<f4").tobytes()
    path.write_bytes(data)
    if ending == ".nii.gz":
        (tmp_path / "scan.nii.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert read_volume(tmp_path / f"scan{ending}").array.dtype.kind == "f"
    assert_the_same_as_whole(tmp_path / f"scan{ending}")


def test_a_detached_header_whose_voxels_are_at_the_end_of_a_file(tmp_path):
    voxels = scan().array.tobytes()
    (tmp_path / "voxels.bin").write_bytes(b"something before" + voxels)
    for skip in ("-1", "16"):
        header = (
            "NRRD0004\n# made by hand\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 5 6 7\n"
            "space directions: (1,0,0) (0,1,0) (0,0,2)\nkinds: domain domain domain\nendian: little\nencoding: raw\n"
            f"space origin: (0,0,0)\nbyte skip: {skip}\ndata file: voxels.bin\n\n"
        )
        (tmp_path / "scan.nhdr").write_text(header)
        assert_the_same_as_whole(tmp_path / "scan.nhdr")
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nDimSize = 5 6 7\n"
        "ElementType = MET_SHORT\nHeaderSize = -1\nElementDataFile = voxels.bin\n"
    )
    (tmp_path / "scan.mhd").write_text(header)
    assert_the_same_as_whole(tmp_path / "scan.mhd")


def test_a_gzip_file_of_several_parts(tmp_path):
    data = written(tmp_path / "scan.nii").read_bytes()
    (tmp_path / "scan.nii.gz").write_bytes(gzip.compress(data[:400]) + gzip.compress(data[400:]))
    assert_the_same_as_whole(tmp_path / "scan.nii.gz")


def test_what_cannot_be_counted_is_read_whole(tmp_path):
    numbers = " ".join(map(str, scan().array.ravel()))
    header = "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 6 7\nencoding: ascii\n\n"
    (tmp_path / "scan.nrrd").write_text(header + numbers)
    assert_the_same_as_whole(tmp_path / "scan.nrrd", kind=VolumePlanes)
    header = "ObjectType = Image\nNDims = 3\nBinaryData = False\nDimSize = 5 6 7\nElementType = MET_SHORT\n"
    (tmp_path / "scan.mha").write_text(header + "ElementDataFile = LOCAL\n" + numbers + "\n")
    assert_the_same_as_whole(tmp_path / "scan.mha", kind=VolumePlanes)


def test_a_ct_with_air_is_in_hounsfield_units(tmp_path):
    path = written(tmp_path / "scan.nrrd")
    assert_the_same_as_whole(path, modality=Modality.CT)
    assert open_planes(path, modality=Modality.CT).unit is Unit.HOUNSFIELD
    assert open_planes(path).unit is Unit.ARBITRARY


def test_a_real_crop(hippocampus_crops):
    assert_the_same_as_whole(hippocampus_crops[0].image)


def test_a_dicom_series(data_folder):
    assert_planes_of_a_series(data_folder / "tcia_brain_dicom/Study1/13_HCropVolume")


def assert_planes_of_a_series(folder):
    whole, source = read_volume(folder), open_planes(folder)
    assert source.grid.same_frame(whole.grid)
    np.testing.assert_array_equal(source.planes(3, 9), whole.array[3:9])
    source.close()


# Files that are not what they promise


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".nii"])
def test_a_raw_file_that_is_cut_is_refused_when_opened(tmp_path, ending):
    path = written(tmp_path / f"scan{ending}")
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match=r"cut short or damaged: it holds 417 of the 420 bytes"):
        open_planes(path)


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".nii.gz"])
@pytest.mark.parametrize("fault", ["cut", "flipped"])
def test_a_compressed_file_that_is_damaged_is_refused_where_it_is(tmp_path, ending, fault):
    path = written(tmp_path / f"scan{ending}", compress=True)
    data = bytearray(path.read_bytes())
    if fault == "cut":
        data = data[:-12]
    else:
        # The checksum, which is found wrong at the very end only.
        data[-6 if ending != ".mha" else -2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match="do not decode"):
        source = open_planes(path)
        for k in range(len(scan().array)):
            source.planes(k, k + 1)


def test_a_missing_voxel_file_is_named(tmp_path):
    for ending, data in ((".nhdr", "scan.raw"), (".mhd", "scan.raw")):
        path = written(tmp_path / f"scan{ending}")
        (tmp_path / data).unlink()
        with pytest.raises(InputError, match=data):
            open_planes(path)


def test_voxels_that_are_not_finite_are_refused_when_they_are_read(tmp_path):
    volume = scan(np.float32)
    volume.array[5, 2, 2] = np.nan
    source = open_planes(written(tmp_path / "scan.nrrd", volume))
    assert source.planes(0, 5).shape == (5, 6, 5)
    with pytest.raises(InputError, match="not finite"):
        source.planes(4, 7)


def test_a_file_that_disappears_is_told(tmp_path):
    path = written(tmp_path / "scan.nrrd")
    source = open_planes(path)
    path.unlink()
    with pytest.raises(InputError, match="could not be read"):
        source.planes(0, 1)


def test_what_is_no_3d_scan_is_refused_as_always(tmp_path):
    flat = sitk.Image(8, 8, sitk.sitkInt16)
    sitk.WriteImage(flat, str(tmp_path / "flat.nrrd"))
    sitk.WriteImage(sitk.Image([4, 4, 4], sitk.sitkVectorUInt8, 3), str(tmp_path / "colour.nrrd"))
    (tmp_path / "empty.nii").write_bytes(b"")
    (tmp_path / "text.nrrd").write_text("no picture\n")
    (tmp_path / "text.mha").write_text("no picture\n")
    (tmp_path / "broken.nii.gz").write_bytes(b"\x1f\x8b not gzip")
    for name in ("flat.nrrd", "colour.nrrd", "empty.nii", "missing.nii", "text.nrrd", "text.mha", "broken.nii.gz"):
        with pytest.raises(InputError):
            open_planes(tmp_path / name)


def test_a_fourth_axis_of_one_voxel_is_no_axis(tmp_path):
    image = sitk.JoinSeries([scan(grid=Grid(SHAPE, (0.7, 1.1, 2.5))).to_sitk()])
    sitk.WriteImage(image, str(tmp_path / "scan.nii"))
    assert_the_same_as_whole(tmp_path / "scan.nii")
    shutil.copy(tmp_path / "scan.nii", tmp_path / "copy.nii")


def test_a_size_that_no_patient_has_is_refused_before_any_plane_is_read(tmp_path):
    path = written(tmp_path / "scan.nrrd", scan(grid=Grid(SHAPE, (1e-9, 1e-9, 1e-9))))
    with pytest.raises(InputError, match="which no patient is"):
        open_planes(path)


def test_a_zip_with_a_series_is_read_whole(tmp_path):
    write_series(tmp_path / "ct", a_pattern((4, 16, 16)))
    path = shutil.make_archive(str(tmp_path / "scan"), "zip", tmp_path / "ct")
    assert_the_same_as_whole(path, kind=VolumePlanes)


def test_a_sheared_file_is_named_read_whole_or_in_planes(tmp_path):
    path = written(tmp_path / "scan.nrrd", scan(grid=Grid(SHAPE)))
    path.write_bytes(path.read_bytes().replace(b"(0,1,0)", b"(.4,1,0)"))
    for reader in (read_volume, open_planes):
        with pytest.raises(InputError, match=rf"'{path}': The axes of the volume are not perpendicular"):
            reader(path)
