"""A real DICOM archive for tests: Debian's Orthanc with its DICOMweb plugin, reachable from this computer only.

Tests import the fixture ``orthanc`` from here. Each module gets an empty archive of its own, which starts in a fraction
of a second; where Orthanc or network namespaces are missing, its tests are skipped with the reason.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from Testing.orthanc_behind_a_socket import forward

_ORTHANC = "/usr/sbin/Orthanc"
_PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
_INSIDE = Path(__file__).with_name("orthanc_behind_a_socket.py")
_PORT_INSIDE = 8042
_STARTS_WITHIN_S = 60


@dataclass(frozen=True)
class OrthancArchive:
    """A running archive.

    Args:
        port: Port on 127.0.0.1.
        folder: Its own folder, with its database and its log.
    """

    port: int
    folder: Path

    @property
    def url(self) -> str:
        """Address of its own REST interface."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def dicomweb(self) -> str:
        """Address of its DICOMweb service."""
        return f"{self.url}/dicom-web"

    def put(self, path: Path) -> None:
        """Store one DICOM file through Orthanc's own interface, not through DICOMweb."""
        self._ask("POST", "/instances", path.read_bytes())

    def put_folder(self, folder: Path) -> None:
        """Store every file of a folder and of those below it."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(path)

    def count(self, level: str = "instances") -> int:
        """How many ``patients``, ``studies``, ``series`` or ``instances`` it holds."""
        return len(self._ask("GET", f"/{level}"))

    def clear(self) -> None:
        """Remove everything that it holds."""
        for patient in self._ask("GET", "/patients"):
            self._ask("DELETE", f"/patients/{patient}")

    def _ask(self, method: str, path: str, body: bytes | None = None):
        request = urllib.request.Request(self.url + path, data=body, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


@contextmanager
def running_orthanc(folder: Path) -> Iterator[OrthancArchive]:
    """Start an archive in ``folder`` and stop it at the end.

    Raises:
        OrthancMissing: where it cannot be run here, with the reason.
    """
    command = [*_own_network(), sys.executable, str(_INSIDE)]
    outside = socket.create_server(("127.0.0.1", 0))
    port = outside.getsockname()[1]
    inside = _socket_path()
    arguments = [_ORTHANC, str(_configuration(folder, port)), str(inside), str(_PORT_INSIDE)]
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        _wait_until_ready(inside, process, folder)
        threading.Thread(target=forward, args=(outside, lambda: _connected(inside)), daemon=True).start()
        yield OrthancArchive(port, folder)
    finally:
        outside.close()
        process.stdin.close()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(inside.parent, ignore_errors=True)


class OrthancMissing(Exception):
    """Orthanc cannot be run on this machine; the message says why."""


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancArchive]:
    """An archive for the tests of one module, empty at its start."""
    try:
        with running_orthanc(tmp_path_factory.mktemp("orthanc")) as archive:
            yield archive
    except OrthancMissing as reason:
        pytest.skip(str(reason))


def _own_network() -> list[str]:
    """The command that runs another one in a network namespace with nothing but a loopback."""
    for path in (_ORTHANC, _PLUGIN):
        if not Path(path).exists():
            raise OrthancMissing(f"no Orthanc with DICOMweb on this machine: {path} is missing")
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        raise OrthancMissing("Orthanc needs a network of its own: 'unshare' or 'ip' is missing")
    for command in (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]):
        if subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0:
            return command
    raise OrthancMissing("Orthanc needs a network of its own, and this machine allows no network namespace")


def _socket_path() -> Path:
    """A short one: a unix socket's path holds 107 characters at most."""
    return Path(tempfile.mkdtemp(prefix="orthanc-")) / "archive"


def _configuration(folder: Path, port: int) -> Path:
    settings = {
        "Name": "Test archive",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [_PLUGIN],
        "HttpPort": _PORT_INSIDE,
        # The forwarder is a loopback client; whoever is not, is refused.
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "WebDavEnabled": False,
        "OverwriteInstances": True,
        "OrthancExplorerEnabled": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "Host": f"127.0.0.1:{port}", "Ssl": False},
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(settings))
    return path


def _wait_until_ready(inside: Path, process: subprocess.Popen, folder: Path) -> None:
    end = time.monotonic() + _STARTS_WITHIN_S
    while not inside.with_suffix(".ready").exists():
        if process.poll() is not None or time.monotonic() > end:
            log = (folder / "orthanc.log").read_text(errors="replace").splitlines()[-3:]
            raise OrthancMissing(f"Orthanc did not start: {' '.join(log)}")
        time.sleep(0.05)


def _connected(inside: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(os.fspath(inside))
    return connection
