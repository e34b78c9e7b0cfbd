"""The way of a scan from an archive to its results in that archive, and to another place without its name."""

from __future__ import annotations

import pytest

from Testing.Benchmarks.archive_round_trip import SERIES, round_trip
from Testing.orthanc_archive import OrthancMissing, running_orthanc

pytest.importorskip("highdicom")
pytest.importorskip("dicomweb_client")


@pytest.fixture(scope="module")
def trip(data_folder, tmp_path_factory):
    source = data_folder / SERIES
    if not source.is_dir():
        pytest.skip(f"no real data at {source}")
    try:
        with (
            running_orthanc(tmp_path_factory.mktemp("hospital")) as hospital,
            running_orthanc(tmp_path_factory.mktemp("outside")) as outside,
        ):
            return round_trip(source, hospital, outside, tmp_path_factory.mktemp("room"))
    except OrthancMissing as reason:
        pytest.skip(str(reason))


def test_everything_comes_back_the_same(trip):
    assert trip.same == dict.fromkeys(
        (
            "scan", "all stored", "segmentation", "heat map", "volumes of the report", "all stored outside",
            "references outside",
        ),
        True,
    )  # fmt: skip


def test_the_archive_lists_the_scan_and_each_result_as_a_series_of_its_study(trip):
    assert trip.objects == {
        "MR HippoCrop": 32,
        "SEG MedSegAI segmentation": 1,
        "SEG MedSegAI confidence": 1,
        "OT MedSegAI heat map Anterior hippocampus": 1,
        "SR MedSegAI measurements": 1,
        "RTSTRUCT MedSegAI contours": 1,
    }
