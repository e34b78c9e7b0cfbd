"""Seconds and peak memory of a CT of 1 GB that is read, clipped, resampled to 1 mm and written in slabs of planes.

    python -m Testing.Benchmarks.large_scan                  # 512 x 512 x 2000 as NRRD
    python -m Testing.Benchmarks.large_scan --dicom          # the same as a series of 2000 DICOM files
    python -m Testing.Benchmarks.large_scan --compressed     # the same as gzip NRRD, in and out
    python -m Testing.Benchmarks.large_scan --slices 300     # smaller
    python -m Testing.Benchmarks.large_scan --in-memory      # beside it: SimpleITK on the whole scan

The scan is synthetic: a body with bones and lungs in air, and noise. The work is ``medsegai resample`` in a process of
its own, whose peak is what the operating system counted (``ru_maxrss`` of ``wait4``: Python, libraries and all); the
peak that was stated beforehand is shown beside it. The result is checked against the plain resampling of a few planes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from MedSegAI.Logic.files.planes.open_planes import open_planes
from MedSegAI.Logic.files.planes.write_planes import Compression, planes_written_to
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.standardise.resample import grid_with_spacing, resample
from MedSegAI.Logic.volume import Modality, Unit, Volume

GIB = 1 << 30
SIDE = 512
SPACING = (0.7, 0.7, 0.6)
WANTED = (1.0, 1.0, 1.0)
CLIP = (-1000, 2000)
AT_ONCE = 16
SIMPLE_ITK = """
import sys, SimpleITK as sitk
scan = sitk.Clamp(sitk.ReadImage(sys.argv[1]), sitk.sitkInt16, -1000, 2000)
size = [round(n * s) for n, s in zip(scan.GetSize(), scan.GetSpacing())]
place = scan.GetOrigin(), [1.0] * 3, scan.GetDirection()
new = sitk.Resample(scan, size, sitk.Transform(), sitk.sitkLinear, *place, -1000)
sitk.WriteImage(new, sys.argv[2])
"""


def planes_of_a_body(count: int) -> object:
    """int16 (n, j, i) HU, ``AT_ONCE`` planes at a time."""
    rng = np.random.default_rng(0)
    j, i = (np.mgrid[:SIDE, :SIDE] / SIDE - 0.5).astype(np.float32)
    noise = rng.normal(0, 15, (AT_ONCE, SIDE, SIDE)).astype(np.float32)
    for start in range(0, count, AT_ONCE):
        k = (np.arange(start, min(start + AT_ONCE, count), dtype=np.float32) / count)[:, None, None]
        body = (i / 0.42) ** 2 + (j / 0.3) ** 2 < 1 + 0.1 * np.sin(40 * k)
        lungs = ((np.abs(i) - 0.2) / 0.13) ** 2 + (j / 0.2) ** 2 < np.sin(np.pi * k)
        bones = (i / 0.05) ** 2 + ((j - 0.2) / 0.05) ** 2 < 1 + 0.3 * np.sin(400 * k)
        planes = np.where(body, np.where(bones, 700.0, np.where(lungs, -800.0, 40.0)), -1024.0)
        yield (planes + noise[: len(planes)]).astype(np.int16)


def write_nrrd(path: Path, count: int, compression: Compression) -> None:
    grid = Grid((1, 1, 2), SPACING, (-180.0, -170.0, -600.0))
    described = Volume(np.zeros((1, 1, 2), np.int16), grid, Modality.CT, Unit.HOUNSFIELD)
    with planes_written_to(path, described, (count, SIDE, SIDE), compression=compression) as writer:
        for planes in planes_of_a_body(count):
            writer.write(planes)


def write_dicom(folder: Path, count: int) -> None:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    folder.mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    k = 0
    for planes in planes_of_a_body(count):
        for plane in planes:
            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
            meta.TransferSyntaxUID = ExplicitVRLittleEndian
            one = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
            one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
            one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID = study, series, frame
            one.PatientID, one.PatientName, one.StudyID, one.StudyDate = "large", "Large^Scan", "1", "20260101"
            one.Modality, one.SeriesDescription, one.InstanceNumber = "CT", "synthetic body", k + 1
            one.ImageOrientationPatient, one.PixelSpacing = [1, 0, 0, 0, 1, 0], [SPACING[1], SPACING[0]]
            one.ImagePositionPatient = [-180.0, -170.0, round(-600.0 + k * SPACING[2], 4)]
            one.Rows = one.Columns = SIDE
            one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
            one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
            one.RescaleSlope, one.RescaleIntercept, one.RescaleType = 1, -2000, "HU"
            one.PixelData = (plane.astype(np.int32) + 2000).astype(np.uint16).tobytes()
            one.save_as(folder / f"{k:05}.dcm", enforce_file_format=True)
            k += 1


def measured(command: list[str]) -> tuple[float, float, int, str]:
    """Seconds, CPU seconds, peak bytes and standard output of a command."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[2])
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        out.seek(0)
        text = out.read().decode()
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed: {text}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text


def largest_difference(scan: Path, result: Path) -> float:
    """Of a few planes of the result from a plain resampling of the part of the scan around them."""
    source, found = open_planes(scan), open_planes(result)
    target, worst = grid_with_spacing(source.grid, WANTED), 0.0
    for middle in (5, target.shape[0] // 2, target.shape[0] - 5):
        box = Box((middle - 2, 0, 0), (middle + 2, *target.shape[1:]))
        ends = source.grid.kji_of(target.crop(box).corners_lps())[:, 0]
        low, high = max(0, int(ends.min()) - 4), min(source.grid.shape[0], int(ends.max()) + 5)
        part = source.grid.crop(Box((low, 0, 0), (high, SIDE, SIDE)))
        clipped = Volume(np.clip(source.planes(low, high), *CLIP), part)
        wanted = resample(clipped, target.crop(box), dtype=np.int16).array
        worst = max(worst, float(np.abs(found.planes(middle - 2, middle + 2).astype(int) - wanted).max()))
    return worst


def measure(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    scan, result = folder / ("series" if options.dicom else "scan.nrrd"), folder / "out.nrrd"
    compression = Compression.GZIP if options.compressed else Compression.NONE
    start = time.perf_counter()
    if options.dicom:
        write_dicom(scan, options.slices)
    else:
        write_nrrd(scan, options.slices, compression)
    made = time.perf_counter() - start
    command = [sys.executable, "-m", "MedSegAI.CommandLine", "resample", str(scan), "-o", str(result), "--chunked"]
    command += ["--spacing", ",".join(map(str, WANTED)), "--step", f"ct-clip:low={CLIP[0]},high={CLIP[1]}", "--json"]
    command += [] if options.compressed else ["--uncompressed"]
    seconds, cpu, peak, text = measured(command)
    facts = json.loads(text)
    figures = {
        "scan": f"{SIDE} x {SIDE} x {options.slices} int16, {SIDE * SIDE * options.slices * 2 / GIB:.2f} GiB, "
        + ("DICOM" if options.dicom else "gzip NRRD" if options.compressed else "NRRD"),
        "result": " x ".join(map(str, facts["grid"]["shape"][::-1])),
        "seconds_to_make_the_scan": made,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "slabs": facts["slabs"],
        "peak_gib": peak / GIB,
        "stated_peak_gib": facts["peak_bytes"] / GIB,
        "largest_difference_hu": largest_difference(scan, result),
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
    }
    if options.in_memory and not options.dicom:
        seconds, cpu, peak, _ = measured([sys.executable, "-c", SIMPLE_ITK, str(scan), str(folder / "whole.nrrd")])
        figures |= {"whole_seconds": seconds, "whole_cpu_seconds": cpu, "whole_peak_gib": peak / GIB}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=2000)
    parser.add_argument("--dicom", action="store_true")
    parser.add_argument("--compressed", action="store_true")
    parser.add_argument("--in-memory", action="store_true")
    parser.add_argument("--folder", type=Path, help="where the temporary files go (about 2 GB)")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(Path(folder), options)
    for name, value in figures.items():
        print(f"{name}: {value:.3g}" if isinstance(value, float) else f"{name}: {value}")
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
