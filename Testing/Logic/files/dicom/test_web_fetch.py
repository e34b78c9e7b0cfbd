"""Series come from a real archive (Orthanc) file by file; where they do not, a sentence says why, nothing is left."""

from __future__ import annotations

import http.server
import json
import threading

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from MedSegAI.Logic.errors import Cancelled, InputError, StorageError
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.dicom.web_archive import WebArchive
from MedSegAI.Logic.files.dicom.web_fetch import fetch_series, find_remote_series, is_web_address, web_address
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from Testing.orthanc_archive import orthanc  # noqa: F401 - a fixture
from Testing.synthetic_series import a_pattern, write_series

pytest.importorskip("dicomweb_client", reason="needs dicomweb-client")


@pytest.fixture
def archive(orthanc, tmp_path):  # noqa: F811
    """An archive with a CT of eight and an MR of six images, the MR compressed; and the folder they came from."""
    orthanc.clear()
    source = tmp_path / "source"
    write_series(source / "ct", a_pattern((8, 16, 16)))
    for path in write_series(source / "mr", a_pattern(), modality="MR", intercept=0, number=2):
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    orthanc.put_folder(source)
    return WebArchive(orthanc.dicomweb), source


def test_what_an_archive_has_is_listed(archive):
    ct, mr = find_remote_series(archive[0])
    assert (ct.modality, ct.number, ct.description, ct.instances) == ("CT", 1, "Synthetic CT", 8)
    assert (mr.patient, mr.study_date) == ("Doe Jane (P-17)", "2026-03-31")
    assert "Doe" not in repr(mr)
    assert find_remote_series(archive[0], study_uid=ct.study_uid, modality="MR") == (mr,)
    assert find_remote_series(archive[0], series_uid=ct.uid) == (ct,)
    assert find_remote_series(archive[0], patient_id="nobody") == ()


def test_a_fetched_series_is_the_stored_one(archive, tmp_path):
    server, source = archive
    steps = []

    class Watching(SilentReporter):
        def progress(self, done, total, stage):
            steps.append((done, total, stage))

    for series, name in zip(find_remote_series(server), ("ct", "mr")):
        files = fetch_series(server, series, tmp_path / "new" / name, reporter=Watching())
        assert len(files) == series.instances and all(path.is_file() for path in files)
        fetched, stored = read_volume(tmp_path / "new" / name), read_volume(source / name)
        np.testing.assert_array_equal(fetched.array, stored.array)
        assert fetched.grid.same_frame(stored.grid)
    assert steps[8] == (8, 8, "fetching")
    assert pydicom.dcmread(files[0]).file_meta.TransferSyntaxUID == RLELossless
    assert len(find_series(tmp_path / "new")) == 2


def test_stopping_leaves_nothing(archive, tmp_path):
    class Impatient(SilentReporter):
        asked = 0

        def cancelled(self):
            self.asked += 1
            return self.asked > 3

    (tmp_path / "room").mkdir()
    with pytest.raises(Cancelled):
        fetch_series(archive[0], find_remote_series(archive[0])[0], tmp_path / "room" / "ct", reporter=Impatient())
    assert list((tmp_path / "room").iterdir()) == []


def test_a_folder_with_something_in_it_is_refused(archive, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("a")
    with pytest.raises(StorageError, match="holds something already"):
        fetch_series(archive[0], find_remote_series(archive[0])[0], tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["a"]


def test_an_empty_folder_is_filled(archive, tmp_path):
    (tmp_path / "empty").mkdir()
    assert len(fetch_series(archive[0], find_remote_series(archive[0])[0], tmp_path / "empty")) == 8


def test_a_series_that_is_gone_is_a_sentence(archive, orthanc, tmp_path):  # noqa: F811
    series = find_remote_series(archive[0])[0]
    orthanc.clear()
    with pytest.raises(InputError, match=r"\(HTTP 404\)|sent 0 of 8"):
        fetch_series(archive[0], series, tmp_path / "ct")
    assert not (tmp_path / "ct").exists()


@pytest.fixture
def server():
    """A web server that answers everything with one status and body; its address and the function that sets them."""

    class Handler(http.server.BaseHTTPRequestHandler):
        status, body, kind = 200, b"", "text/html"

        def do_GET(self):
            # The page after the first is empty.
            body = b"[]" if "offset=1" in self.path else self.body
            self.send_response(self.status)
            self.send_header("Content-Type", self.kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            """Quiet."""

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/dicom-web", Handler
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, b"", "asks who you are, or does not know you"),
        (403, b"", "does not allow this"),
        (404, b"", "has no DICOMweb service at this address"),
        (500, b"", "failed"),
        (200, b"<html>hello</html>", "answered with something that is no DICOMweb"),
    ],
)
def test_what_goes_wrong_is_a_sentence(server, status, body, sentence):
    url, handler = server
    handler.status, handler.body = status, body
    with pytest.raises(InputError, match=sentence) as caught:
        find_remote_series(WebArchive(url))
    assert caught.value.advice.endswith(".")


@pytest.mark.parametrize("uid", ["../../home", "1.2/../..", ""])
def test_an_identifier_that_would_lead_elsewhere_is_refused(server, uid):
    url, handler = server
    known = {"0020000D": {"vr": "UI", "Value": ["1.2"]}, "0020000E": {"vr": "UI", "Value": [uid]}}
    handler.kind, handler.body = "application/dicom+json", json.dumps([known]).encode()
    with pytest.raises(InputError, match="no valid SeriesInstanceUID"):
        find_remote_series(WebArchive(url))


def test_an_archive_that_does_not_run_is_a_sentence():
    with pytest.raises(InputError, match="cannot be reached"):
        find_remote_series(WebArchive("http://127.0.0.1:9/dicom-web"))


def test_an_answer_that_breaks_off_leaves_nothing(server, tmp_path):
    from MedSegAI.Logic.files.dicom.web_fetch import RemoteSeries

    url, handler = server
    content = write_series(tmp_path / "source", a_pattern((1, 8, 8)))[0].read_bytes()
    handler.kind = 'multipart/related; type="application/dicom"; boundary=edge'
    part = b"--edge\r\nContent-Type: application/dicom\r\n\r\n"
    handler.body = part + content + b"\r\n" + part + content[: len(content) // 2]
    with pytest.raises(InputError):
        fetch_series(WebArchive(url), RemoteSeries("1.2", "1.3", "", 1, "CT", instances=2), tmp_path / "new" / "ct")
    assert list((tmp_path / "new").iterdir()) == []


def test_addresses_of_services_studies_and_series_are_understood():
    place = web_address("https://pacs.example:8042/dicom-web/studies/1.2/series/3.4/")
    assert (place.service, place.study_uid, place.series_uid) == ("https://pacs.example:8042/dicom-web", "1.2", "3.4")
    assert web_address("http://a/b/").service == "http://a/b"
    assert web_address("http://a/b/studies/1.2").series_uid == ""
    with pytest.raises(InputError, match="no address of a DICOM study"):
        web_address("http://a/b/studies/1.2/instances/3")
    assert is_web_address("https://a") and not is_web_address("/data/a")
