"""Every message survives a line; anything else is refused with a sentence."""

from __future__ import annotations

import json

import pytest

from MedSegAI.Logic.errors import WorkerError
from MedSegAI.Logic.worker import protocol
from MedSegAI.Logic.worker.protocol import check_version, decode, encode

MESSAGES = [
    protocol.Job(1, "segment", "/tmp/x", {"model": "Ä", "batch": 2, "overlap": None}),
    protocol.Cancel(1),
    protocol.Ready(1, 4711, {"torch": "2.13.0"}),
    protocol.Accepted(1),
    protocol.Progress(1, 3, 10, "segmenting left hippocampus"),
    protocol.Message(1, "Needs about 1 GiB.\nTwo lines."),
    protocol.Part(1, "/tmp/part-1.npy", [[0, 0, 0], [3, 4, 5]]),
    protocol.Result(1, {"labels": "labels.npy"}),
    protocol.JobCancelled(1),
    protocol.Failed(1, "InputError", "The image is empty.", "Choose another."),
    protocol.Failed(None, "WorkerError", "Not understood."),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.type)
def test_a_message_survives_its_line(message):
    line = encode(message)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert decode(line) == message


def test_every_kind_of_message_is_tested():
    assert {message.type for message in MESSAGES} == set(protocol._CLASSES)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Loading weights... done", "not JSON"),
        ("", "not JSON"),
        ('{"type":"cancel","job":', "not JSON"),
        ("[1, 2]", "not an object"),
        ('{"job":1}', "not an object"),
        ('{"type":"dance","job":1}', "type is unknown"),
        ('{"type":["job"],"job":1}', "type is unknown"),
        ('{"type":"cancel"}', "fields must be job"),
        ('{"type":"cancel","job":1,"at":"once"}', "fields must be job"),
        ('{"type":"cancel","job":"1"}', '"job" has the wrong type'),
        ('{"type":"cancel","job":true}', '"job" has the wrong type'),
        ('{"type":"progress","job":1,"done":1.5,"total":2,"stage":""}', '"done" has the wrong type'),
        ('{"type":"result","job":1,"values":[]}', '"values" has the wrong type'),
        ('{"type":"error","job":"x","kind":"","problem":""}', '"job" has the wrong type'),
    ],
)
def test_a_line_that_is_not_part_of_the_protocol_is_refused_with_a_sentence(line, why):
    with pytest.raises(WorkerError, match=why) as refused:
        decode(line)
    assert refused.value.advice


def test_a_long_line_is_not_quoted_whole():
    with pytest.raises(WorkerError) as refused:
        decode("x" * 100_000)
    assert len(str(refused.value)) < 400


def test_a_worker_of_another_version_is_refused_by_name():
    ready = decode(json.dumps({"type": "ready", "protocol": 99, "process": 1, "versions": {}}))
    with pytest.raises(WorkerError, match=r"version 99 .* version 3"):
        check_version(ready)
    check_version(protocol.Ready(protocol.PROTOCOL_VERSION, 1, {}))
