"""Files go to a real archive (Orthanc), and those that name a patient only where that was said."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager

import numpy as np
import pydicom
import pytest

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.files.dicom.web_archive import WebArchive
from MedSegAI.Logic.files.dicom.web_fetch import fetch_series, find_remote_series
from MedSegAI.Logic.files.dicom.web_store import Privacy, send_files
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from Testing.orthanc_archive import orthanc  # noqa: F401 - a fixture
from Testing.synthetic_series import a_pattern, edit, write_series

pytest.importorskip("dicomweb_client", reason="needs dicomweb-client")


@pytest.fixture
def series(tmp_path):
    """A de-identified CT of four slices, and a note beside it."""
    for path in write_series(tmp_path / "ct", a_pattern((4, 16, 16))):
        edit(path, PatientIdentityRemoved="YES", DeidentificationMethod="by hand")
    (tmp_path / "ct" / "note.txt").write_text("not DICOM")
    return tmp_path / "ct"


def test_a_series_is_stored_found_again_and_fetched_the_same(orthanc, series, tmp_path):  # noqa: F811
    archive, reporter = WebArchive(orthanc.dicomweb), SilentReporter()
    sent = send_files(series, archive, reporter=reporter)
    assert (len(sent.stored), sent.failed, sent.identified, reporter.messages) == (4, (), 0, [])
    assert orthanc.count() == 4
    (found,) = find_remote_series(archive)
    fetch_series(archive, found, tmp_path / "back")
    before, after = read_volume(series), read_volume(tmp_path / "back")
    assert np.array_equal(before.array, after.array)
    assert before.grid.same_frame(after.grid)


def test_nothing_leaves_while_one_file_names_a_patient(orthanc, series):  # noqa: F811
    orthanc.clear()
    named = sorted(series.glob("*.dcm"))[2]
    edit(named, PatientIdentityRemoved="NO")
    with pytest.raises(InputError, match=r"1 of 4 files may name a patient.*nothing was sent") as refused:
        send_files(series, WebArchive(orthanc.dicomweb))
    assert "medsegai dicom deidentify" in refused.value.advice
    assert orthanc.count() == 0
    reporter = SilentReporter()
    sent = send_files(series, WebArchive(orthanc.dicomweb), privacy=Privacy.IDENTIFIED_TOO, reporter=reporter)
    assert (len(sent.stored), sent.identified) == (4, 1)
    assert reporter.messages == ["1 of 4 files name a patient, and leave as they are."]


def test_nothing_leaves_while_the_pixels_of_one_file_are_cut_short(orthanc, series):  # noqa: F811
    orthanc.clear()
    short = sorted(series.glob("*.dcm"))[1]
    short.write_bytes(short.read_bytes()[:-100])
    with pytest.raises(InputError, match=rf"'{short.name}' are cut short: nothing was sent"):
        send_files(series, WebArchive(orthanc.dicomweb))
    assert orthanc.count() == 0


def test_files_without_preamble_are_sent_like_others(orthanc, series, tmp_path):  # noqa: F811
    orthanc.clear()
    before = read_volume(series)
    for path in series.glob("*.dcm"):
        length = pydicom.dcmread(path).file_meta.FileMetaInformationGroupLength
        path.write_bytes(path.read_bytes()[144 + length :])
    assert len(send_files(series, WebArchive(orthanc.dicomweb)).stored) == 4
    (found,) = find_remote_series(WebArchive(orthanc.dicomweb))
    fetch_series(WebArchive(orthanc.dicomweb), found, tmp_path / "back")
    assert np.array_equal(read_volume(tmp_path / "back").array, before.array)


def test_pictures_with_writing_in_them_are_named_before_they_leave(orthanc, series):  # noqa: F811
    edit(sorted(series.glob("*.dcm"))[0], BurnedInAnnotation="YES")
    reporter = SilentReporter()
    send_files(series, WebArchive(orthanc.dicomweb), reporter=reporter)
    assert reporter.messages == [
        "1 pictures may have names or dates written into them (it says so itself (Burned In Annotation))."
    ]


def test_who_stops_learns_how_much_has_left(orthanc, series):  # noqa: F811
    class StopsAtTheThird(SilentReporter):
        def progress(self, done, total, stage):
            self.done = done

        def cancelled(self):
            return self.done >= 2

    with pytest.raises(Cancelled) as stopped:
        send_files(series, WebArchive(orthanc.dicomweb), reporter=StopsAtTheThird())
    assert "2 of 4 files had been sent" in stopped.value.advice


@contextmanager
def answering(status, body=b"", kind="application/dicom+json"):
    """A web server on this computer that gives every request the same answer."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/dicom-web"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "asks who you are"),
        (403, "does not allow this"),
        (404, "has no DICOMweb service"),
        (413, "a file too large"),
        (507, "is full"),
        (400, "refused"),
        (500, "failed"),
    ],
)
def test_a_refusal_of_the_whole_archive_is_a_sentence_and_says_what_was_sent(series, status, sentence):
    with answering(status) as url, pytest.raises(InputError, match=sentence) as refused:
        send_files(series, WebArchive(url))
    assert f"HTTP {status}" in refused.value.problem
    assert "0 files had been sent" in refused.value.advice


@pytest.mark.parametrize(
    ("status", "code", "reason"), [(409, 0x0122, "not taken"), (202, 0xA700, "full"), (409, 7, "reason 7")]
)
def test_a_refusal_of_one_file_names_the_file_and_the_others_go_on(series, status, code, reason):
    failed = {"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [code]}}]}}
    with answering(status, json.dumps(failed).encode()) as url:
        sent = send_files(series, WebArchive(url))
    assert len(sent.failed) == 4
    path, said = sent.failed[0]
    assert path == sorted(series.glob("*.dcm"))[0]
    assert reason in said


def test_a_refusal_without_a_reason_is_still_one(series):
    with answering(409, b"conflict", "text/plain") as url:
        assert send_files(series, WebArchive(url)).failed[0][1] == "the archive refused it"


def test_what_is_no_dicom_or_damaged_is_refused_before_anything_is_sent(series, tmp_path):
    archive = WebArchive("http://127.0.0.1:9/dicom-web")
    (tmp_path / "empty").mkdir()
    for source in (tmp_path / "empty", series / "note.txt", []):
        with pytest.raises(InputError, match="no DICOM file"):
            send_files(source, archive)
    path = sorted(series.glob("*.dcm"))[1]
    with pytest.raises(InputError, match="cannot be reached"):
        send_files([path], archive)
    broken = pydicom.dcmread(path)
    broken.save_as(path)
    path.write_bytes(path.read_bytes()[:136])
    with pytest.raises(InputError, match="damaged|no DICOM file"):  # noqa: RUF043
        send_files([path], archive)
