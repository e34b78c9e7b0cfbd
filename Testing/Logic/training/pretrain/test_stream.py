"""Any number of scans go by in bounded memory, the broken ones left out, whatever was met before."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.training.pretrain.config import ScansConfig
from MedSegAI.Logic.training.pretrain.order import Order
from MedSegAI.Logic.training.pretrain.scan_folder import list_scans
from MedSegAI.Logic.training.pretrain.stream import ScanStream

MIB = 2**20


def stream_of(folder, **settings) -> ScanStream:
    paths = list_scans(folder)
    return ScanStream(paths, ScansConfig(**settings), order=Order(len(paths), seed=1))


def first_voxels(scan) -> tuple:
    return tuple(scan.block(Box((0, 0, 0), (1, 1, 3))).ravel().tolist())


@pytest.fixture
def folder_with_faults(write_scan):
    """Six good scans, a torn one, an empty one, a label map and a picture."""
    for number in range(6):
        folder = write_scan(f"{number}/scan.nii.gz", seed=number).parents[1]
    (folder / "torn.nii.gz").write_bytes((folder / "0" / "scan.nii.gz").read_bytes()[:500])
    (folder / "empty.nrrd").touch()
    labels = np.zeros((5, 6, 7), np.uint8)
    labels[2:4, 2:4, 2:4] = 1
    write_scan("labels.mha", labels)
    write_scan("flat.mha", np.ones((1, 6, 7), np.uint8))
    return folder


def test_broken_scans_are_left_out_with_a_sentence_and_the_others_stand_in(folder_with_faults):
    stream = stream_of(folder_with_faults)
    seen = [stream.use(position, first_voxels) for position in range(10)]
    assert len(set(seen)) == 6
    assert {path.name for path in stream.left_out} == {"torn.nii.gz", "empty.nrrd", "labels.mha", "flat.mha"}
    reasons = {path.name: reason for path, reason in stream.left_out.items()}
    assert "looks like a label map" in reasons["labels.mha"]
    assert "is empty (0 bytes)" in reasons["empty.nrrd"]
    assert "2D picture" in reasons["flat.mha"]


def test_what_is_shown_at_a_position_does_not_depend_on_what_was_met_before(folder_with_faults):
    forward = stream_of(folder_with_faults)
    seen = [forward.use(position, first_voxels) for position in range(25)]
    for position in (24, 3, 11):
        assert stream_of(folder_with_faults, cache_mib=1).use(position, first_voxels) == seen[position]


def test_a_scan_that_breaks_in_the_middle_is_replaced_where_it_is_asked_for(write_scan):
    good = write_scan("good.nii.gz")
    torn = write_scan("torn.nii.gz", seed=5)
    stream = stream_of(good.parent)

    def deepest(scan) -> float:
        if scan is torn_scan:
            raise InputError("The end is missing.")
        return float(scan.block(Box.whole(scan.shape)).mean())

    torn_scan = stream._opened(stream.paths.index(torn))
    assert len({stream.use(position, deepest) for position in range(4)}) == 1
    assert stream.left_out == {torn: "The end is missing."}


def test_a_folder_of_label_maps_is_told_in_a_sentence(write_scan):
    labels = np.zeros((5, 6, 7), np.uint8)
    labels[2:4, 2:4, 2:4] = 1
    for number in range(3):
        folder = write_scan(f"labels{number}.nii.gz", labels).parent
    with pytest.raises(InputError, match=r"None of the 3 scans can be used.*looks like a label map.*the images"):
        stream_of(folder).use(0, first_voxels)


def test_a_folder_of_broken_files_is_told_in_a_sentence_without_reading_all_of_them(tmp_path):
    for number in range(250):
        (tmp_path / f"{number}.nii").touch()
    stream = stream_of(tmp_path)
    with pytest.raises(InputError, match=r"None of 200 scans in a row can be used.*is empty \(0 bytes\)"):
        stream.use(0, first_voxels)
    assert len(stream.left_out) == 200


@pytest.mark.parametrize("cache_mib", [1, 4])
def test_memory_stays_flat_however_many_scans_go_by(write_scan, cache_mib):
    """12 scans of 1 MiB each as float32: with 4 MiB of cache they are held whole in turn, with 1 MiB read in parts."""
    for number in range(12):
        folder = write_scan(f"{number}.nrrd", shape=(64, 64, 64), seed=number).parent
    stream = stream_of(folder, cache_mib=cache_mib)
    peaks = []
    tracemalloc.start()
    for turn in range(3):
        tracemalloc.reset_peak()
        for position in range(turn * 12, turn * 12 + 12):
            stream.use(position, lambda scan: scan.block(Box((16, 16, 16), (48, 48, 48))).sum())
            assert stream.cache.held_bytes <= cache_mib * MIB
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    # Beside the cache: one scan on its way in, as stored, sampled and scaled.
    assert max(peaks) < (cache_mib + 7) * MIB
    assert peaks[2] < peaks[0] * 1.1
