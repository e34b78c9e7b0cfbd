"""Who is let in to a case's web server, and what its answers let a browser do."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="the browser app's packages are not installed")

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from MedSegAI.Web.case.web_guard import SECRET_COOKIE, guard, is_this_computer
from MedSegAI.Web.case_contract import SECRET_HEADER

REPOSITORY_ROOT = Path(__file__).resolve().parents[2]
SECRET = "known-to-few"


def asked(path: str = "/", *, secret: str = "", **request: object) -> tuple[int, dict[str, str], dict[str, str]]:
    """Status, headers and cookies of a guarded server's answer."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="the page")

    async def ask() -> tuple[int, dict[str, str], dict[str, str]]:
        app = web.Application()
        app.router.add_get("/", page)
        guard(app, secret=secret)
        async with TestClient(TestServer(app)) as client:
            answer = await client.get(path, allow_redirects=False, **request)
            cookies = {name: morsel.value for name, morsel in answer.cookies.items()}
            return answer.status, dict(answer.headers), cookies

    return asyncio.run(ask())


def test_without_a_secret_whoever_asks_from_this_computer_is_let_in():
    assert asked()[0] == 200


@pytest.mark.parametrize("host", ["evil.test", "evil.test:8080", "192.168.0.7", ""])
def test_without_a_secret_no_other_name_of_this_computer_is_answered(host):
    assert asked(headers={"Host": host})[0] == 403


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "https://127.0.0.1:1"])
def test_a_page_of_another_origin_is_turned_away(origin):
    assert asked(headers={"Origin": origin})[0] == 403


def test_with_a_secret_nobody_is_let_in_who_does_not_tell_it():
    assert asked(secret=SECRET)[0] == 403
    assert asked("/?secret=guessed", secret=SECRET)[0] == 403
    assert asked(secret=SECRET, headers={SECRET_HEADER: "guessed"})[0] == 403


def test_the_gateway_tells_the_secret_in_a_header():
    assert asked(secret=SECRET, headers={SECRET_HEADER: SECRET, "Origin": "http://127.0.0.1:1"})[0] == 200


def test_an_address_with_the_secret_leaves_a_cookie_and_loses_the_secret():
    status, headers, cookies = asked(f"/?secret={SECRET}", secret=SECRET)
    assert (status, cookies) == (302, {SECRET_COOKIE: SECRET})
    assert SECRET not in headers["Location"]
    assert "HttpOnly" in headers["Set-Cookie"]
    assert asked(secret=SECRET, cookies={SECRET_COOKIE: SECRET})[0] == 200


def test_every_answer_forbids_the_browser_to_load_anything_from_elsewhere():
    policy = asked()[1]["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy


def test_only_names_that_mean_this_computer_everywhere_are_taken_for_it():
    assert all(map(is_this_computer, ("127.0.0.1", "127.8.9.1", "::1", "localhost")))
    assert not any(map(is_this_computer, ("0.0.0.0", "::", "10.0.0.1", "hospital.example", "")))


def test_a_case_that_others_could_reach_is_not_served_without_a_secret():
    done = subprocess.run(
        [sys.executable, "-m", "MedSegAI.Web.case", "--host", "0.0.0.0", "--empty"],
        cwd=REPOSITORY_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert "0.0.0.0" in error["problem"]
    assert error["advice"]
