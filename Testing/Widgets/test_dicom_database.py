"""A scan that Slicer's DICOM module loaded says where its files lie; the database here has ctk's two methods."""

from __future__ import annotations

import pytest
import slicer

from MedSegAI.Bridge.scan_attributes import SourceSeries, frame_of_reference_of, modality_of, source_of
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.volume import Modality


class Database:
    """What ``ctkDICOMDatabase`` answers for one series in two folders."""

    def fileForInstance(self, uid):  # noqa: N802 - ctk chose the name
        return {"1.1": "/scans/a/1.dcm", "1.2": "/scans/b/2.dcm"}.get(uid, "")

    def instanceValue(self, uid, tag):  # noqa: N802 - ctk chose the name
        values = {"0020,000E": "1.2.3", "0008,0060": "MR", "0020,0052": "1.2.9"}
        return values.get(tag, "") if self.fileForInstance(uid) else ""


@pytest.fixture
def node(bench, a_crop):
    made = volume_to_node(a_crop, bench.session.scene)
    made.SetAttribute("DICOM.instanceUIDs", "1.1 1.2")
    return made


@pytest.fixture
def note_source(bench):
    from MedSegAI.Widgets.dicom_database import note_source

    return note_source


def test_source_modality_and_frame_of_reference_are_taken_from_the_database(node, note_source, monkeypatch):
    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    note_source(node)
    source = source_of(node)
    assert (source.folder.as_posix(), source.uid) == ("/scans", "1.2.3")
    assert modality_of(node) is Modality.MR
    assert frame_of_reference_of(node) == "1.2.9"


def test_what_the_scan_says_itself_stays(node, note_source, monkeypatch, tmp_path):
    from MedSegAI.Bridge.scan_attributes import write_source

    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    known = SourceSeries(tmp_path, "9.9")
    write_source(node, known)
    note_source(node)
    assert source_of(node) == known


@pytest.mark.parametrize("instances", [None, "7.7"])
def test_a_scan_that_the_database_does_not_know_is_left_as_it_is(node, note_source, monkeypatch, instances):
    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    node.SetAttribute("DICOM.instanceUIDs", instances)
    note_source(node)
    assert source_of(node) is None and modality_of(node) is Modality.UNKNOWN


def test_without_a_database_nothing_happens(node, note_source):
    note_source(node)
    assert source_of(node) is None
