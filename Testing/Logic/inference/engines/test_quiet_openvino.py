"""OpenVINO must send nothing anywhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("openvino", reason="openvino is not installed")

# In a process of its own: what a package may send is decided when it is first imported.
QUIET = """
import socket, sys
def refuse(*_): raise SystemExit("something wanted to use the network")
socket.socket.connect = socket.getaddrinfo = refuse
{before}
from MedSegAI.Logic.inference.engines.quiet_openvino import without_telemetry
openvino = without_telemetry("openvino")
from openvino.tools.ovc.telemetry_utils import init_ovc_telemetry
telemetry = init_ovc_telemetry()
{events}
print("told nobody")
"""
SEND = """
from openvino.tools.ovc import telemetry_utils
sent = []
sender = sys.modules["openvino_telemetry.utils.sender"].TelemetrySender
sender.send = lambda *told, **more: sent.append(told)
telemetry.start_session("ovc"); telemetry.send_event("ovc", "version", "x"); telemetry.send_error("ovc", "x")
telemetry.end_session("ovc")
assert not sent, sent
"""


def said_by(code: str, home: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"HOME": str(home), "PYTHONPATH": "."}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_that_could_send_is_imported(tmp_path):
    check = "assert 'openvino_telemetry.utils.sender' not in sys.modules"
    assert said_by(QUIET.format(before="", events=check), tmp_path) == "told nobody\n"
    assert list(tmp_path.iterdir()) == [], "an identity was made for the computer"


def test_nothing_is_sent_where_openvino_was_imported_before(tmp_path):
    assert said_by(QUIET.format(before="import openvino", events=SEND), tmp_path) == "told nobody\n"
