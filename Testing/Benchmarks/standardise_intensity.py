"""The intensity steps for CT and MR on real scans, as Markdown tables.

    python -m Testing.Benchmarks.standardise_intensity [--data DIR] [--shrinks 4 1] [-o tables.md]

1. N4 with the shrink that is chosen from the size, beside smaller ones down to full resolution, on a real head: CPU
   seconds of one thread, and how far the fields lie apart inside the head once their overall factor is taken out (N4
   leaves it open). Full resolution takes some minutes.
2. Twenty hippocampus crops (the first of the validation cases) before and after each step: by how much one tissue's
   median moves from scan to scan, as a part of what the scan spans between its 5th and 95th percentile. The landmarks
   are learned from, and the reference is, training cases.
3. What is told of each CT's values, and the offset found, also after a known error was added.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.ct.hounsfield import Hounsfield
from MedSegAI.Logic.standardise.ct.hounsfield_evidence import hounsfield_evidence
from MedSegAI.Logic.standardise.ct.offset import HuOffset
from MedSegAI.Logic.standardise.mr.foreground import foreground_mask
from MedSegAI.Logic.standardise.mr.histogram_match import HistogramMatch
from MedSegAI.Logic.standardise.mr.n4 import LOG_FIELD, N4
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.standardise.mr.percentile import PercentileRange
from MedSegAI.Logic.standardise.mr.z_score import RobustZScore
from MedSegAI.Logic.standardise.step import Step
from MedSegAI.Logic.volume import Volume

DATA = Path(os.environ.get("MEDSEGAI_DATA") or "../shared/data")
HEAD = "mr_heads/MR_Gd.nii.gz"
CASES = 20
ADDED_ERROR = 18
CT = (
    "invesalius_ct_head/ct_head_hu.nii.gz",
    "totalseg_ct/example_ct.nii.gz",
    "totalseg_ct/example_ct_sm.nii.gz",
    "totalseg_ct/pulmonary_cta/ct_cropped.nii.gz",
    "totalseg_ct/aorta_cta/ct_cropped.nii.gz",
    "dicom/dcmqi/segmentations/ct-3slice",
    "dicom/slicer_CTHeadAxialDicom",
)


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def n4_rows(data: Path, shrinks: list[int]) -> list[tuple[str, ...]]:
    head = read_volume(data / HEAD)
    inside = foreground_mask(head.array, "otsu", name=head.name)
    runs = []
    for shrink in [0, *shrinks]:
        start = time.process_time()
        done = N4(shrink=shrink).apply(head, reporter=SilentReporter())
        seconds = time.process_time() - start
        field = done.extras[LOG_FIELD].array[inside].astype(np.float64)
        runs.append((done.record.sentence.partition("estimated ")[2], seconds, field - field.mean()))
    finest_seconds, finest = runs[-1][1:]
    rows = []
    for what, seconds, field in runs:
        apart = np.abs(np.expm1(field - finest))
        alike = np.corrcoef(field, finest)[0, 1]
        differences = (f"{100 * value:.1f}%" for value in (apart.mean(), np.percentile(apart, 99), apart.max()))
        cost = (f"{seconds:.1f}", f"{finest_seconds / seconds:.0f}x")
        rows.append((what.rstrip("."), *cost, f"{alike:.3f}", *differences))
    return rows


def crops(data: Path, subset: str) -> Iterator[tuple[Volume, np.ndarray]]:
    folder = data / "msd_hippocampus"
    for name in json.loads((folder / "split.json").read_text())[subset][:CASES]:
        labels = read_segmentation(folder / "labelsTr" / f"{name}.nii.gz")
        yield read_volume(folder / "imagesTr" / f"{name}.nii.gz"), labels.labels.array


def spread(scans: list[Volume], labels: list[np.ndarray]) -> tuple[str, ...]:
    """Standard deviation of each tissue's median over the scans, per cent of what a scan spans on average."""
    span = np.mean([np.ptp(np.percentile(scan.array, (5, 95))) for scan in scans])
    tissues = (lambda mask: mask == 0, lambda mask: mask > 0)
    places = [[np.median(scan.array[tissue(mask)]) for scan, mask in zip(scans, labels)] for tissue in tissues]
    return tuple(f"{100 * np.std(place) / span:.1f}%" for place in places)


def crop_rows(data: Path) -> list[tuple[str, ...]]:
    scans, labels = (list(one) for one in zip(*crops(data, "val")))
    training = [volume for volume, _ in crops(data, "train")]
    steps: dict[str, Step] = {
        "percentile (0.5 to 99.5)": PercentileRange(),
        "z-score (median)": RobustZScore(),
        "nyul (20 training cases)": Nyul.trained_on(training),
        "histogram-match (one training case)": HistogramMatch.to_reference(training[0]),
    }
    rows = [("as stored", *spread(scans, labels))]
    for name, step in steps.items():
        after = [step.apply(scan, reporter=SilentReporter()).volume for scan in scans]
        rows.append((name, *spread(after, labels)))
    return rows


def offset_of(volume: Volume) -> str:
    try:
        return f"{HuOffset().apply(volume, reporter=SilentReporter()).record.figures['offset_hu']:+.1f} HU"
    except InputError as error:
        return "refused: " + error.problem.partition(": ")[2].rstrip(".")


def ct_rows(data: Path) -> list[tuple[str, ...]]:
    rows = []
    for name in CT:
        volume = read_volume(data / name)
        evidence = hounsfield_evidence(volume)
        in_hu = Hounsfield(otherwise="shift").apply(volume, reporter=SilentReporter()).volume
        wrong = in_hu.with_array(in_hu.array + ADDED_ERROR)
        rows.append((name, evidence.sentence, offset_of(in_hu), offset_of(wrong)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument(
        "--shrinks", type=int, nargs="+", default=[6, 2, 1], help="beside the chosen; last: compared with"
    )
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"No real data at {options.data}: set MEDSEGAI_DATA, or name the folder with --data.")
        return
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    load = os.getloadavg()[0]
    parts = (
        table(("HU", "what is told", "offset", f"with {ADDED_ERROR} HU added"), ct_rows(options.data)),
        table(("20 crops", "around the hippocampus", "hippocampus"), crop_rows(options.data)),
        table(
            ("N4", "CPU s", "cheaper", "correlation", "mean difference", "99th percentile", "greatest"),
            n4_rows(options.data, options.shrinks),
        ),
    )
    text = "\n".join(parts) + f"\nLoad before and after: {load:.1f}, {os.getloadavg()[0]:.1f}.\n"
    print(text)
    if options.output:
        options.output.write_text(text)


if __name__ == "__main__":
    main()
