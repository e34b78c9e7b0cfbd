"""Runs a real gateway in a process of its own, with tiny cases, and looks at it from outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgpack
import psutil
from wslink.chunking import StreamUnChunker, generate_chunks

from MedSegAI.Web.gateway.gateway import serve
from MedSegAI.Web.gateway.settings import GatewaySettings

REPOSITORY_ROOT = Path(__file__).resolve().parents[3]
TINY_CASE = (sys.executable, "-m", "Testing.Web.gateway.tiny_case")
TOKEN = "correct-horse-battery"
SECONDS = 30.0


@dataclass(frozen=True)
class RunningGateway:
    """A gateway in another process; ``folder`` is its temporary folder, ``log`` what it wrote to standard error."""

    process: subprocess.Popen
    address: str
    way_in: str
    folder: Path
    log: Path

    def cases(self) -> list[psutil.Process]:
        found = []
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "tiny_case" in " ".join(child.cmdline()):
                    found.append(child)
        return found


@contextlib.contextmanager
def running_gateway(*case_options: str, **settings) -> Iterator[RunningGateway]:
    with tempfile.TemporaryDirectory(prefix="medsegai-test-") as room:
        folder, log = Path(room, "tmp"), Path(room, "log")
        folder.mkdir()
        command = [sys.executable, "-m", __name__, json.dumps(settings | {"case_command": [*TINY_CASE, *case_options]})]
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                cwd=REPOSITORY_ROOT,
                env=os.environ | {"TMPDIR": str(folder)},
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        try:
            line = process.stdout.readline()
            assert line, log.read_text()
            yield RunningGateway(process, *json.loads(line), folder, log)
        finally:
            process.terminate()
            process.wait(SECONDS)
            process.stdout.close()


def eventually(happens: Callable[[], object], *, seconds: float = SECONDS) -> object:
    """What ``happens`` returns as soon as that is true; fails where it never is."""
    deadline = time.monotonic() + seconds
    while not (result := happens()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return result


class Window:
    """A browser window without a browser: keeps cookies, opens a case, and speaks to it as trame's page does."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session = session
        self.address = address

    async def open_case(self) -> str:
        """The address of a new case, when it serves."""
        async with self.session.get(self.address) as answer:
            assert answer.status == 200, await answer.text()
            case = str(answer.url)
        await self.wait_for(case)
        return case

    async def wait_for(self, case: str) -> str:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            async with self.session.get(case) as answer:
                text = await answer.text()
                if "Opening a case" not in text:
                    assert answer.status == 200, text
                    return text
            await asyncio.sleep(0.1)
        raise AssertionError("the case did not open in time")

    @contextlib.asynccontextmanager
    async def connected(self, case: str):
        """``call(method, *args)`` of the case, over its WebSocket."""
        origin = {"Origin": self.address.rstrip("/")}
        async with self.session.post(f"{case}paraview/", headers=origin, data=b"{}") as answer:
            connection = await answer.json()
        host = self.address.split("/")[2]
        url = connection["sessionURL"].replace("USE_HOST", host)
        async with self.session.ws_connect(url, headers=origin, max_msg_size=0) as socket:
            call = Calls(socket)
            hello = await call("wslink.hello", {"secret": connection["secret"]}, id="system:c0:0")
            assert hello["clientID"]
            yield call


class Calls:
    """wslink's messages over one WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._parts = StreamUnChunker()
        self._number = 0

    async def __call__(self, method: str, *arguments, id: str = ""):
        self._number += 1
        id = id or f"rpc:test:{self._number}"
        message = msgpack.packb({"wslink": "1.0", "id": id, "method": method, "args": arguments, "kwargs": {}})
        for chunk in generate_chunks(message, 4 * 2**20):
            await self._socket.send_bytes(chunk)
        while True:
            answer = self._parts.process_chunk(await self._socket.receive_bytes(timeout=SECONDS))
            if answer is not None and answer["id"] == id:
                assert "error" not in answer, answer
                return answer["result"]

    async def state(self) -> dict:
        return (await self("trame.state.get"))["state"]


def visit(gateway: RunningGateway, *steps):
    """Run ``await step(window)`` for each step, all in windows of one person; what the last one returns."""

    async def run():
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            window = Window(session, gateway.address)
            return [await step(window) for step in steps][-1]

    return asyncio.run(run())


def main() -> None:
    settings = json.loads(sys.argv[1])
    settings["case_command"] = tuple(settings["case_command"])
    if "scan" in settings:
        settings["scan"] = Path(settings["scan"])

    def say(address: str, way_in: str) -> None:
        sys.stdout.write(json.dumps([address, way_in]) + "\n")
        sys.stdout.flush()

    asyncio.run(serve(GatewaySettings(**{"port": 0} | settings), on_ready=say))


if __name__ == "__main__":
    main()
