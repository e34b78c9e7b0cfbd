"""Runs in a network namespace of its own: starts Orthanc there and lets it be reached through one unix socket only.

Orthanc listens on every interface, and has no option to listen on one. In a namespace with nothing but a loopback of
its own, that is harmless; a unix socket is a file and so reaches across namespaces. It stops when its standard input
ends, which also happens when the program that started it dies.

Usage: python orthanc_behind_a_socket.py ORTHANC CONFIGURATION.json SOCKET PORT
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

_PIECE = 1 << 16
_STARTS_WITHIN_S = 60


def forward(listening: socket.socket, connect: Callable[[], socket.socket]) -> None:
    """Pass every connection that comes in on, until ``listening`` is closed."""
    while True:
        try:
            incoming, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_join, args=(incoming, connect), daemon=True).start()


def _join(incoming: socket.socket, connect: Callable[[], socket.socket]) -> None:
    try:
        outgoing = connect()
    except OSError:
        incoming.close()
        return
    back = threading.Thread(target=_copy, args=(outgoing, incoming), daemon=True)
    back.start()
    _copy(incoming, outgoing)
    back.join()
    incoming.close()
    outgoing.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _serve(orthanc: str, configuration: str, path: str, port: int) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = subprocess.Popen([orthanc, configuration], stdout=sys.stderr, stderr=sys.stderr)
    try:
        _wait_for(port, server)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
        listening.listen(64)
        threading.Thread(
            target=forward, args=(listening, lambda: socket.create_connection(("127.0.0.1", port))), daemon=True
        ).start()
        Path(path).with_suffix(".ready").touch()
        sys.stdin.read()
    finally:
        # Nothing of it is kept, and an orderly end takes seconds.
        server.kill()
        server.wait()


def _wait_for(port: int, server: subprocess.Popen) -> None:
    end = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit("Orthanc did not start")


if __name__ == "__main__":
    _serve(*sys.argv[1:4], int(sys.argv[4]))
