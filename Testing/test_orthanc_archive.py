"""The archive of the tests is a real one that nobody but this computer can reach."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from Testing.orthanc_archive import orthanc  # noqa: F401


def test_it_keeps_what_is_put_into_it_and_answers_dicomweb(orthanc, data_folder):  # noqa: F811
    orthanc.put(data_folder / "dicom" / "dcmqi" / "segmentations" / "ct-3slice" / "01.dcm")
    with urllib.request.urlopen(f"{orthanc.dicomweb}/series") as answer:
        (series,) = json.loads(answer.read())
    assert series["00080060"]["Value"] == ["CT"]
    assert orthanc.count() == 1
    orthanc.clear()
    assert orthanc.count("patients") == 0


def test_only_the_forwarder_listens_on_this_computer_and_only_on_its_loopback(orthanc):  # noqa: F811
    hexadecimal = f"{orthanc.port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {address for _, address, _, state, *_ in lines if state == "0A"}
    assert f"0100007F:{hexadecimal}" in listening
    assert f"00000000:{hexadecimal}" not in listening
    assert not any(address.endswith(":1F6A") and address.startswith("00000000") for address in listening)
