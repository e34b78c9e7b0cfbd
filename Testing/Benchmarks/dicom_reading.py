"""DICOM series read by us, SimpleITK, a pydicom loop, Slicer's own reader and MONAI: CPU seconds, places and values.

    python -m Testing.Benchmarks.dicom_reading [--runs 5] [--slices 60 200] [-o figures.json]

Three tables. CPU seconds of one thread for the same folders, runs interleaved, medians (files in the cache). Whether
places and values agree: the largest distance between the place a reader gives a voxel and the place ours does, and the
share of voxels with the same value. And what becomes of series that are not as they should be: two balls of a phantom
lie at known places in the patient, and a reader refuses, or puts them that many millimetres off (0.09 mm is the
phantom's own sampling). "Sheared" means that the axes it gives are not perpendicular: many filters and file formats
cannot hold that.

Ours and SimpleITK find and sort the files themselves, as do the loop and MONAI; Slicer's reader is given them sorted,
as the application's DICOM module does. MONAI reads with its PydicomReader (its ITKReader needs another package).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import JPEGLSLossless

from MedSegAI.Logic.bench.clock import interleaved_medians
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.find_series import find_series
from Testing.Benchmarks.dicom_readers import HARD, Reading, ours, readers
from Testing.synthetic_series import a_pattern, edit, write_series

DATA = Path(os.environ.get("MEDSEGAI_DATA") or Path(__file__).resolve().parents[2] / ".." / "shared" / "data").resolve()


def folders(room: Path, slices: list[int]) -> dict[str, Path]:
    """The series whose reading is timed: synthetic CTs of 512 x 512, and real ones where the data are there."""
    found = {}
    for count in slices:
        found[f"CT {count} x 512 x 512"] = room / f"ct{count}"
        write_series(room / f"ct{count}", a_pattern((count, 512, 512)))
    pressed = room / "pressed"
    for path in write_series(pressed, a_pattern((slices[0], 512, 512))):
        dataset = pydicom.dcmread(path)
        dataset.compress(JPEGLSLossless, generate_instance_uid=False)
        dataset.save_as(path)
    found[f"the same {slices[0]}, JPEG-LS"] = pressed
    for name, path in (
        ("MR 22 x 512 x 512 (real, oblique)", "tcia_brain_dicom/Study1/34909-T1prereg-84610"),
        ("CT 93 x 64 x 64 (real)", "dicom/slicer_CTHeadAxialDicom"),
    ):
        if (DATA / path).is_dir():
            found[name] = _sorted_copy(DATA / path, room / Path(path).name)
    return found


def _sorted_copy(source: Path, target: Path) -> Path:
    """A copy whose names are in slice order, for the reader that is given sorted files."""
    target.mkdir()
    (series,) = find_series(source)
    for k, path in enumerate(series.files):
        (target / f"{k:04d}.dcm").write_bytes(path.read_bytes())
    return target


def differences(found: Reading, reference: Reading) -> tuple[float, float]:
    """Largest distance in mm of a corner voxel's place, and the share of voxels of the same value (to 1e-5)."""
    array, matrix = found
    wanted, truth = reference
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * [
        *np.array(wanted.shape) - 1,
        1,
    ]
    index = corners @ truth.T @ np.linalg.inv(matrix).T
    off = float(np.linalg.norm((index - np.rint(index)) @ matrix.T, axis=1).max())
    step = np.rint(np.linalg.inv(matrix) @ truth).astype(int)
    ijk = np.indices(wanted.shape).reshape(3, -1)
    at = step[:3, :3] @ ijk + step[:3, 3:]
    if (at < 0).any() or (at >= np.array(array.shape)[:, None]).any():
        return max(off, float("inf")), 0.0
    same = np.isclose(array[tuple(at)], wanted.reshape(-1), rtol=1e-5)
    return off, float(same.mean())


BALLS = np.array([[-18.0, -15.0, 8.0], [14.0, 17.0, 62.0]])
SHAPE, SPACING, ORIGIN = (30, 56, 52), (1.0, 1.0, 2.5), (-26.0, -28.0, 0.0)


def phantom(*, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    """Two balls of 7 mm, sampled where the slices lie."""
    k, j, i = np.indices(SHAPE)
    lps = np.stack([i * SPACING[0], j * SPACING[1], k * SPACING[2]], -1) + ORIGIN + k[..., None] * np.array(shift)
    near = np.min([np.linalg.norm(lps - ball, axis=-1) for ball in BALLS], axis=0)
    return (1000 * np.clip(7.5 - near, 0, 1)).astype(np.int16)


def misplacement(found: Reading) -> float:
    """How far the farther ball lies from its place, in mm; each is looked for on its side of the middle plane."""
    array, matrix = found
    ijk = np.indices(array.shape).reshape(3, -1)
    lps = (matrix[:3, :3] @ ijk + matrix[:3, 3:]).T
    weight = np.clip(array.reshape(-1).astype(float) + 1024, 0, None)
    nearest = np.argmin([np.linalg.norm(lps - ball, axis=1) for ball in BALLS], axis=0)
    return max(
        float(np.linalg.norm(np.average(lps[nearest == n], axis=0, weights=weight[nearest == n]) - ball))
        for n, ball in enumerate(BALLS)
    )


def hard_cases(room: Path) -> dict[str, Path]:
    """The phantom as folders have it that are not as they should be."""

    def write(name: str, **settings: object) -> list[Path]:
        wanted = {"array": phantom(), "spacing": SPACING, "origin": ORIGIN, **settings}
        return write_series(room / name, wanted.pop("array"), **wanted)

    def named_by_chance(name: str) -> None:
        for number, path in enumerate(sorted((room / name).iterdir())):
            path.rename(path.with_name(f"x{(number * 7) % 31:02d}.dcm"))

    write("as it should be")
    write("files named by chance")
    named_by_chance("files named by chance")
    write("a slice is missing")[12].unlink()
    tilt = (0.0, 0.6, 0.0)
    write("gantry tilted by 13.5 degrees", array=phantom(shift=tilt), shift=tilt)
    copied = write("a slice is there twice")
    (copied[0].parent / "zz.dcm").write_bytes(copied[20].read_bytes())
    edit(write("a scout among the slices")[0], ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    for late in (0, 1):

        def at(dataset: pydicom.Dataset, k: int, late: int = late) -> None:
            dataset.TemporalPositionIdentifier = late + 1
            dataset.InstanceNumber = k + 1 + 30 * late
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{late + 1}{k + 1}"

        made = write_series(room / f"time {late}", phantom() // (late + 1), spacing=SPACING, origin=ORIGIN, change=at)
        (room / "two time points").mkdir(exist_ok=True)
        for path in made:
            path.rename(room / "two time points" / f"{late}-{path.name}")
    write("two series in one folder")
    for path in write("other", number=2, array=phantom() // 2):
        path.rename(room / "two series in one folder" / f"b{path.name}")
    cut = write("a file is cut short")[15]
    cut.write_bytes(cut.read_bytes()[:-500])
    names = ("time 0", "time 1", "other")
    return {
        path.name: path for path in sorted(room.iterdir(), key=lambda p: p.stat().st_ctime) if path.name not in names
    }


def outcome(read: Callable[[Path], Reading], folder: Path) -> str:
    try:
        with quiet():
            array, matrix = read(folder)
            axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
            sheared = ", sheared" if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3 else ""
            return f"{misplacement((array, matrix)):.2f} mm off{sheared}"
    except ZeroDivisionError:
        return "a ball is lost"
    except (InputError, RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError, OSError):
        return "refused"


@contextlib.contextmanager
def quiet():
    """Without the readers' own warnings: what they do is in the table."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def main(argv: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--slices", type=int, nargs="+", default=[60, 200])
    options.add_argument("-o", "--output", type=Path)
    chosen = options.parse_args(argv)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    known = readers()
    figures: dict[str, object] = {"load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as name:
        timed = folders(Path(name), chosen.slices)
        figures["seconds"] = {title: _seconds(known, folder, chosen.runs) for title, folder in timed.items()}
        figures["agreement"] = {title: _agreement(known, folder) for title, folder in timed.items()}
        (Path(name) / HARD).mkdir()
        figures["hard cases"] = {
            title: {reader: outcome(read, folder) for reader, read in known.items()}
            for title, folder in hard_cases(Path(name) / HARD).items()
        }
    _show(figures)
    if chosen.output:
        chosen.output.write_text(json.dumps(figures, indent=1))


def _seconds(known: dict, folder: Path, runs: int) -> dict[str, float]:
    with quiet():
        return interleaved_medians({name: lambda read=read: read(folder) for name, read in known.items()}, runs)


def _agreement(known: dict, folder: Path) -> dict[str, list[float]]:
    with quiet():
        reference = ours(folder)
        return {name: list(differences(read(folder), reference)) for name, read in known.items() if name != "ours"}


def _show(figures: dict) -> None:
    print(f"Load of the machine: {figures['load']:.1f}")
    print("\nCPU seconds, and how many times ours")
    for title, seconds in figures["seconds"].items():
        print(f"  {title}")
        for name, value in seconds.items():
            print(f"    {name:16} {value:7.3f} s  {value / seconds['ours']:5.2f}")
    print("\nLargest difference of place in mm, and share of voxels with our value")
    for title, found in figures["agreement"].items():
        for name, (off, same) in found.items():
            print(f"  {title:34} {name:16} {off:.6f} mm  {100 * same:.2f}%")
    print("\nTwo balls of a phantom: refused, or how far off its place the farther one lies")
    for title, found in figures["hard cases"].items():
        print(f"  {title:32} " + "  ".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
