"""From an archive and back: a scan is fetched from Orthanc, segmented and explained, and its results are stored there.

    python -m Testing.Benchmarks.archive_round_trip [-o figures.json]

Runs on the hippocampus crop series of the TCIA brain study, with the shipped model. What comes back from the archive is
compared with what was sent: the voxels of the segmentation, every float of the heat map, the volumes of the report.
Then
scan and results are de-identified together and stored in a second archive, where the results still refer to the scan.
Seconds are those of one run; each archive is a real one, in a network namespace of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pydicom

from MedSegAI.Logic.explain.explain import explain
from MedSegAI.Logic.files.dicom.deidentify.deidentify_folder import deidentify_folder
from MedSegAI.Logic.files.dicom.export import DicomObject, export_case
from MedSegAI.Logic.files.dicom.read_dicom_segmentation import read_dicom_segmentation
from MedSegAI.Logic.files.dicom.web_archive import WebArchive
from MedSegAI.Logic.files.dicom.web_fetch import fetch_series, find_remote_series
from MedSegAI.Logic.files.dicom.web_store import Privacy, send_files
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.report.volumes import segment_volumes
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import ConfidenceChoice, DeviceChoice, RunSettings
from Testing.orthanc_archive import OrthancArchive, running_orthanc

SERIES = Path("tcia_brain_dicom") / "Study1" / "13_HCropVolume"
TARGET = "anterior_hippocampus"
T = TypeVar("T")


@dataclass
class RoundTrip:
    """What came of it.

    Args:
        seconds: Of each part.
        same: What was compared, and whether it came back the same.
        objects: Kinds of the objects that the archive has in the end, with their numbers of instances.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    same: dict[str, bool] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)

    def timed(self, what: str, action: Callable[[], T]) -> T:
        """The outcome of an action, whose seconds are kept."""
        start = time.perf_counter()
        outcome = action()
        self.seconds[what] = time.perf_counter() - start
        return outcome


def round_trip(source: Path, hospital: OrthancArchive, outside: OrthancArchive, room: Path) -> RoundTrip:
    """Do all of it: ``hospital`` is empty and gets the series, ``outside`` gets what names nobody."""
    trip, archive = RoundTrip(), WebArchive(hospital.dicomweb)
    hospital.put_folder(source)
    (series,) = find_remote_series(archive)
    trip.timed("fetch", lambda: fetch_series(archive, series, room / "scan"))
    scan = trip.timed("read", lambda: read_volume(room / "scan"))
    trip.same["scan"] = bool(np.array_equal(scan.array, read_volume(source).array))

    model, reporter = find_model("hippocampus-mr"), SilentReporter()
    settings = RunSettings(device=DeviceChoice.CPU, confidence=ConfidenceChoice.PER_VOXEL)
    result = trip.timed("segment", lambda: segment(scan, model, settings=settings, reporter=reporter))
    wanted: dict[str, Any] = {"target": TARGET, "layer": None, "settings": settings, "reporter": reporter}
    heat = trip.timed("explain", lambda: explain(scan, result, model, **wanted))
    segmentation = Segmentation(result.labels, result.table, result.provenance)
    given: dict[str, Any] = {"heat_map": heat, "heat_label": TARGET, "confidence": result.confidence}
    trip.timed(
        "export",
        lambda: export_case(room / "results", segmentation, source=room / "scan", objects=list(DicomObject), **given),
    )
    sent = trip.timed("send", lambda: send_files(room / "results", archive, privacy=Privacy.IDENTIFIED_TOO))
    trip.same["all stored"] = not sent.failed
    _compare_what_comes_back(trip, archive, room, result, heat.array)
    _send_outside(trip, outside, room)
    return trip


def _compare_what_comes_back(
    trip: RoundTrip, archive: WebArchive, room: Path, result: SegmentationResult, heat: np.ndarray
) -> None:
    found = trip.timed("find", lambda: find_remote_series(archive))
    trip.objects = {f"{one.modality} {one.description}".strip(): one.instances for one in found}
    fetched: dict[str, Any] = {}
    for one in found:
        if one.modality in ("SEG", "SR", "OT") or "heat map" in one.description:
            (path,) = fetch_series(archive, one, room / "back" / one.uid)
            fetched[one.description] = path
    labels = read_dicom_segmentation(fetched["MedSegAI segmentation"]).labels
    first = round(float(result.labels.grid.kji_of(np.asarray(labels.grid.origin))[0]))
    expected = np.zeros_like(result.labels.array)
    expected[first : first + labels.grid.shape[0]] = labels.array
    trip.same["segmentation"] = bool(np.array_equal(expected, result.labels.array))
    (path,) = (path for name, path in fetched.items() if "heat map" in name)
    trip.same["heat map"] = _floats_of(path, heat.shape) == heat.astype("<f4").tobytes()
    trip.same["volumes of the report"] = bool(
        np.allclose(
            _volumes_of(fetched["MedSegAI measurements"]),
            [entry.volume_ml for entry in segment_volumes(result.labels, result.table) if entry.voxels],
            rtol=1e-5,
        )
    )


def _floats_of(path: Path, shape: tuple[int, int, int]) -> bytes:
    dataset = pydicom.dcmread(path)
    planes = np.frombuffer(dataset.FloatPixelData, "<f4").reshape(shape)
    heights = [
        float(frame.PlanePositionSequence[0].ImagePositionPatient[2])
        for frame in dataset.PerFrameFunctionalGroupsSequence
    ]
    return planes[np.argsort(heights)].tobytes()


def _volumes_of(path: Path) -> list[float]:
    """The volumes in a report, read by highdicom."""
    import highdicom

    groups = highdicom.sr.srread(path).content.get_volumetric_roi_measurement_groups()
    return [found.value for group in groups for found in group.get_measurements() if found.name.meaning == "Volume"]


def _send_outside(trip: RoundTrip, outside: OrthancArchive, room: Path) -> None:
    """Scan and results, de-identified together, in an archive that takes only what names nobody."""
    for name in ("scan", "results"):
        (room / "study").mkdir(exist_ok=True)
        (room / name).rename(room / "study" / name)
    trip.timed("de-identify", lambda: deidentify_folder(room / "study", room / "clean"))
    archive = WebArchive(outside.dicomweb)
    sent = trip.timed("send outside", lambda: send_files(room / "clean", archive))
    trip.same["all stored outside"] = not sent.failed
    clean = [pydicom.dcmread(path, stop_before_pixels=True) for path in sent.stored]
    images = {str(one.SOPInstanceUID) for one in clean if one.Modality == "MR"}
    (segments,) = (one for one in clean if one.Modality == "SEG" and one.SegmentationType == "BINARY")
    referred = {
        str(image.ReferencedSOPInstanceUID)
        for series in segments.ReferencedSeriesSequence
        for image in series.ReferencedInstanceSequence
    }
    trip.same["references outside"] = bool(referred) and referred <= images


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    source = Path(os.environ.get("MEDSEGAI_DATA", "../shared/data")) / SERIES
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)]
        hospital, outside = (stack.enter_context(running_orthanc(folder)) for folder in folders[:2])
        trip = round_trip(source, hospital, outside, folders[2])
    print("\n".join(f"{what:<30} {seconds:8.2f} s" for what, seconds in trip.seconds.items()))
    print("\n".join(f"{what:<30} {'same' if same else 'DIFFERENT'}" for what, same in trip.same.items()))
    print("\n".join(f"in the archive: {what:<45} {count}" for what, count in trip.objects.items()))
    if options.output:
        options.output.write_text(json.dumps(trip.__dict__, indent=2))


if __name__ == "__main__":
    main()
