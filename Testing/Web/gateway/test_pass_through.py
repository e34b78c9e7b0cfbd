"""Everything of a case goes through one port: pages, files of any size, messages of any size; and its headers."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import aiohttp
import psutil
import pytest

from MedSegAI.Web.case_contract import SECRET_HEADER, SECRET_VARIABLE
from Testing.Web.gateway.running_gateway import Calls, Window, running_gateway, visit

MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def gateway():
    with running_gateway() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def case(gateway):
    return visit(gateway, Window.open_case)


def test_the_page_and_its_files_come_through(gateway, case):
    async def story(window: Window):
        for path, kind in (("", "html"), ("vue.global.js", "javascript"), ("logo.png", "png")):
            async with window.session.get(case + path) as answer:
                assert (answer.status, answer.content_type.split("/")[1]) == (200, kind)
                assert len(await answer.read()) == int(answer.headers["Content-Length"])
        async with window.session.head(case + "vue.global.js") as answer:
            assert int(answer.headers["Content-Length"]) > MEBIBYTE / 10
        async with window.session.get(case.rstrip("/")) as answer:
            assert str(answer.url) == case
        async with window.session.get(case + "nothing") as answer:
            assert answer.status == 404

    visit(gateway, story)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="memory of another process is read from /proc")
def test_an_upload_of_hundreds_of_megabytes_is_not_kept_in_the_gateways_memory(gateway, case):
    async def pieces():
        for _ in range(300):
            yield bytes(MEBIBYTE)

    async def story(window: Window):
        origin = {"Origin": gateway.address.rstrip("/"), SECRET_HEADER: "a guess"}
        async with window.session.post(f"{case}echo?a=b%20c", data=pieces(), headers=origin) as answer:
            return await answer.json()

    before = psutil.Process(gateway.process.pid).memory_info().rss
    told = visit(gateway, story)
    assert (told["size"], told["query"]) == (300 * MEBIBYTE, "a=b c")
    assert psutil.Process(gateway.process.pid).memory_info().rss - before < 50 * MEBIBYTE


def test_the_case_can_tell_the_gateway_from_anyone_else_and_sees_no_cookie(gateway, case):
    async def story(window: Window):
        headers = {"Origin": gateway.address.rstrip("/"), SECRET_HEADER: "a guess", "Cookie": "a=b"}
        async with window.session.post(f"{case}echo", data=b"x", headers=headers) as answer:
            return await answer.json()

    told = visit(gateway, story)
    assert told["secret"] is True
    assert "Cookie" not in told["headers"]


def test_a_message_larger_than_any_websocket_message_may_be_comes_through(gateway, case):
    async def story(window: Window):
        async with window.connected(case) as call:
            return await call("trame.trigger", "measure", [os.urandom(MEBIBYTE) * 80], {})

    assert visit(gateway, story) == 80 * MEBIBYTE


def test_nobody_speaks_to_a_case_without_its_secret_which_no_command_line_shows(gateway, case):
    """The case's own port is open to every program of this computer, so the secret is what keeps it."""
    (process,) = gateway.cases()
    secret = process.environ()[SECRET_VARIABLE]
    assert secret not in " ".join(process.cmdline())
    (port,) = (found.laddr.port for found in process.net_connections("tcp") if found.status == psutil.CONN_LISTEN)

    async def speak(secret: str):
        async with aiohttp.ClientSession() as session, session.ws_connect(f"http://127.0.0.1:{port}/ws") as socket:
            await Calls(socket)("wslink.hello", {"secret": secret}, id="system:c0:0")

    for wrong in ("wslink-secret", ""):
        with pytest.raises(AssertionError, match="Authentication failed"):
            asyncio.run(speak(wrong))
    asyncio.run(speak(secret))


def test_a_case_listens_to_this_computer_only_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("TRAME_ARGS", "--host 0.0.0.0")
    monkeypatch.setenv("TRAME_DEFAULT_HOST", "0.0.0.0")
    with running_gateway() as gateway:
        visit(gateway, Window.open_case)
        (process,) = gateway.cases()
        assert {found.laddr.ip for found in process.net_connections("tcp")} == {"127.0.0.1"}


def test_every_answer_tells_the_browser_to_load_nothing_from_elsewhere(gateway, case):
    async def story(window: Window):
        found = {}
        for address in (case, f"{case}vue.global.js", f"{window.address}nothing"):
            async with window.session.get(address) as answer:
                found[address] = answer.headers
        return found

    for address, headers in visit(gateway, story).items():
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, address
        assert not any(word in policy for word in ("http", "ws:", "*")), address
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"] == "MedSegAI"
        scripts = next((part for part in policy.split("; ") if part.startswith("script-src")), "")
        assert "'unsafe-inline'" not in scripts


def test_a_window_that_is_closed_is_no_longer_counted(gateway, case):
    """Else no case would ever be ended."""

    async def story(window: Window):
        for _ in range(3):
            async with window.connected(case) as call:
                await call.state()

    visit(gateway, story)
    (process,) = gateway.cases()
    deadline = time.monotonic() + 5
    while len(_established(process)) > 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(_established(process)) <= 1


def _established(process: psutil.Process) -> list:
    return [found for found in process.net_connections("tcp") if found.status == psutil.CONN_ESTABLISHED]
