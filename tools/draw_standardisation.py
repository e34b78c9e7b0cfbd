"""Draw docs/pictures/standardise-*.png: every step of preparation on a real scan, before and after.

The scans are public data that lie outside of the repository, in the folder that the variable MEDSEGAI_DATA names;
docs/standardise.md says whose they are. Every picture is made by the code that `medsegai standardise --picture` runs.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image

from MedSegAI.Logic.files.dicom.pet_parameters import image_values, pet_unit
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.step_files import step_from_text_and_files
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.report.before_after import before_after_figure
from MedSegAI.Logic.report.display_window import DisplayWindow
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.standardise.step import Step, apply_steps
from MedSegAI.Logic.volume import Modality, Volume

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
LARGEST_BYTES = 150_000
_DPI_AND_COLOURS = ((76, 256), (76, 128), (72, 128), (72, 96), (64, 96))
_TRAINED_ON = 40
_ADDED_HU = 25


@dataclass(frozen=True)
class Drawing:
    """One picture.

    Args:
        name: Of the file, without "standardise-".
        title: Written on top.
        scan: Gives the scan.
        steps: Give the steps that it goes through.
        focus_of: Gives the point through which the planes go, LPS mm; None takes the middle.
        window: What is shown; None chooses by unit.
    """

    name: str
    title: str
    scan: Callable[[Path], Volume]
    steps: Callable[[Path], tuple[Step, ...]]
    focus_of: Callable[[Volume], tuple[float, float, float]] | None = None
    window: DisplayWindow | None = None


def drawings() -> tuple[Drawing, ...]:
    """All pictures, in the order of the document."""
    ct = _file("totalseg_ct/example_ct.nii.gz", Modality.CT)
    thorax = _file("totalseg_ct/pulmonary_cta/ct_cropped.nii.gz", Modality.CT)
    bone = DisplayWindow(-1100.0, 3100.0)
    crop = _file("msd_hippocampus/imagesTr/hippocampus_210.nii.gz", Modality.MR)
    brain = _file("brats_like/BraTS-GLI-00001-000/BraTS-GLI-00001-000-t1n.nii.gz", Modality.MR)
    other = "brats_like/OtherEXampleFromTCIA/raw_bet/OtherEXampleFromTCIA_t1_bet.nii.gz"
    return (
        Drawing("hounsfield", "Stored values to HU", _head_of_slicer, _words("hounsfield:otherwise=shift")),
        Drawing("hu-offset", f"A CT to which {_ADDED_HU} HU were added by hand", _shifted(ct), _words("hu-offset")),
        Drawing("ct-clip", "Clipping", ct, _words("ct-clip:high=1500"), _brightest, bone),
        Drawing("window", "The lung window", thorax, _words("window:preset=lung")),
        Drawing("n4", "An even field", _file("mr_heads/chris_t1.nii.gz", Modality.MR), _words("n4")),
        Drawing("nyul", f"Landmarks of {_TRAINED_ON} other scans", crop, _landmarks),
        Drawing(
            "histogram-match",
            "The grey values of another patient's scan",
            brain,
            lambda data: _words(f"histogram-match:reference={data / other}")(data),
        ),
        Drawing("z-score", "Robust z-score", crop, _words("z-score")),
        Drawing("percentile", "Percentiles to 0..1", brain, _words("percentile")),
        Drawing("suv", "SUV by body weight", _pet_slice, _words("suv")),
    )


def draw(drawing: Drawing, data: Path, folder: Path) -> Path:
    """Make one picture of at most :data:`LARGEST_BYTES`, as large as that allows."""
    scan = drawing.scan(data)
    done = apply_steps(scan, drawing.steps(data), reporter=SilentReporter())
    figure = before_after_figure(
        scan, done, title=drawing.title, focus=drawing.focus_of and drawing.focus_of(scan), window=drawing.window
    )
    path = folder / f"standardise-{drawing.name}.png"
    for dpi, colours in _DPI_AND_COLOURS:
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=dpi, facecolor=figure.get_facecolor())
        Image.open(stream).convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST_BYTES:
            return path
    raise SystemExit(f"{path.name} has {path.stat().st_size} bytes, more than {LARGEST_BYTES}.")


def _brightest(scan: Volume) -> tuple[float, float, float]:
    return tuple(scan.grid.lps_of(np.array(np.unravel_index(np.argmax(scan.array), scan.array.shape))))


def _file(name: str, modality: Modality) -> Callable[[Path], Volume]:
    return lambda data: read_volume(data / name, modality=modality)


def _words(*words: str) -> Callable[[Path], tuple[Step, ...]]:
    return lambda data: tuple(step_from_text_and_files(word) for word in words)


def _head_of_slicer(data: Path) -> Volume:
    return replace(read_volume(data / "dicom" / "slicer_CTHeadAxialDicom"), name="CT head")


def _shifted(scan: Callable[[Path], Volume]) -> Callable[[Path], Volume]:
    def shifted(data: Path) -> Volume:
        volume = scan(data)
        return volume.with_array(volume.array + _ADDED_HU)

    return shifted


def _landmarks(data: Path) -> tuple[Step, ...]:
    files = sorted((data / "msd_hippocampus" / "imagesTr").glob("*.nii.gz"))[:_TRAINED_ON]
    return (Nyul.trained_on(read_volume(file, modality=Modality.MR) for file in files),)


def _pet_slice(data: Path) -> Volume:
    """The one slice that is there; the reader of series wants more than one."""
    header = pydicom.dcmread(data / "pet_suv" / "acrin_flt_breast" / "1.dcm")
    acquisition = image_values(header)
    array = header.pixel_array[None].astype(np.float32) * float(header.RescaleSlope)
    spacing = (*(float(mm) for mm in header.PixelSpacing), float(header.SliceThickness))
    grid = Grid(array.shape, spacing, tuple(float(mm) for mm in header.ImagePositionPatient))
    return Volume(array, grid, Modality.PET, pet_unit(acquisition), "PET slice", acquisition=acquisition)


def main() -> None:
    """Draw all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="such as n4; without any, all")
    names = parser.parse_args().names
    data = Path(os.environ.get("MEDSEGAI_DATA") or ROOT / ".." / "shared" / "data").resolve()
    PICTURES.mkdir(exist_ok=True)
    for drawing in drawings():
        if not names or drawing.name in names:
            path = draw(drawing, data, PICTURES)
            sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
