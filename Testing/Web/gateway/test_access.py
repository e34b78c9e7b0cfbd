"""Who may come in: token, cookie, host and origin, all asked of a real gateway."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from Testing.Web.gateway.running_gateway import TOKEN, RunningGateway, Window, running_gateway, visit


@pytest.fixture(scope="module")
def with_token():
    with running_gateway(token=TOKEN, most_cases=10) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def without_token():
    with running_gateway(most_cases=10) as gateway:
        yield gateway


def ask(gateway: RunningGateway, path: str = "", *, method: str = "GET", headers=None, follow=True):
    """Status, text and headers of one request by somebody who was never here before."""

    async def step(window: Window):
        address = gateway.address + path
        async with window.session.request(method, address, headers=headers, allow_redirects=follow) as answer:
            return answer.status, await answer.text(), answer.headers

    return visit(gateway, step)


@pytest.mark.parametrize("path", ["", "?token=", "?token=wrong-horse-battery", "case/0123/", "nothing"])
def test_without_the_right_token_nobody_comes_in(with_token, path):
    status, text, _ = ask(with_token, path)
    assert status == 403
    assert "A token is needed to open MedSegAI, and this one is missing or wrong." in text
    assert with_token.cases() == []


def test_the_token_is_accepted_once_and_a_cookie_takes_its_place(with_token):
    status, _, headers = ask(with_token, f"case/0/?token={TOKEN}&x=1", follow=False)
    assert (status, headers["Location"]) == (303, "/case/0/?x=1")
    cookie = headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert TOKEN not in cookie
    status, text, _ = ask(with_token, "case/0/", headers={"Cookie": cookie.split(";")[0]})
    assert (status, "There is no open case" in text) == (404, True)
    name = cookie.partition("=")[0]
    for wrong in (TOKEN, "", "x"):
        assert ask(with_token, "case/0/", headers={"Cookie": f"{name}={wrong}"})[0] == 403


def test_who_came_in_can_use_a_case_and_who_did_not_cannot_even_with_its_address(with_token):
    async def come_in(window: Window):
        async with window.session.get(f"{window.address}?token={TOKEN}") as answer:
            case = str(answer.url)
        await window.wait_for(case)
        async with window.connected(case) as call:
            assert (await call.state())["count"] == 0
        return case

    case = visit(with_token, come_in)
    assert ask(with_token, case.removeprefix(with_token.address))[0] == 403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        asyncio.run(_socket(f"{case}ws", origin=with_token.address))


def test_the_window_that_the_gateway_opens_itself_comes_in_with_a_ticket_that_works_once(with_token):
    path = with_token.way_in.removeprefix(with_token.address)
    assert path.startswith("?token=")
    assert TOKEN not in path
    assert [ask(with_token, path, follow=False)[0] for _ in range(2)] == [303, 403]


def test_the_token_is_in_no_log(with_token):
    ask(with_token, f"?token={TOKEN}x")
    ask(with_token, f"case/0/?token={TOKEN}")
    assert TOKEN not in with_token.log.read_text()


@pytest.mark.parametrize("host", ["localhost", "localhost:9999", "127.0.0.1", "[::1]:80"])
def test_this_computers_own_names_are_answered(without_token, host):
    assert ask(without_token, "nothing", headers={"Host": host})[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[", ""])
def test_a_name_that_was_made_to_point_here_is_refused(without_token, host):
    """DNS rebinding: a page of evil.example that reads the answers of its own name, which now means 127.0.0.1."""
    status, text, _ = ask(without_token, headers={"Host": host})
    assert (status, "not this computer" in text) == (403, True)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://["])
def test_pages_of_other_sites_can_neither_connect_nor_change_anything(without_token, origin):
    case = visit(without_token, Window.open_case)
    path = case.removeprefix(without_token.address)
    status, text, _ = ask(without_token, f"{path}paraview/", method="POST", headers={"Origin": origin})
    assert (status, "a page of another site" in text) == (403, True)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        asyncio.run(_socket(f"{case}ws", origin=origin))


def test_a_websocket_that_does_not_say_where_it_comes_from_is_refused(without_token):
    case = visit(without_token, Window.open_case)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        asyncio.run(_socket(f"{case}ws", origin=None))
    assert asyncio.run(_socket(f"{case}ws", origin=without_token.address.rstrip("/")))


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Dest": "image"}, {"Sec-Purpose": "prefetch;prerender"}])
def test_only_a_person_opens_a_case(without_token, headers):
    before = len(without_token.cases())
    status, text, _ = ask(without_token, headers=headers)
    assert (status, "only for a window" in text) == (403, True)
    assert len(without_token.cases()) == before


async def _socket(address: str, *, origin: str | None) -> bool:
    headers = {"Origin": origin} if origin else {}
    async with aiohttp.ClientSession() as session, session.ws_connect(address, headers=headers) as socket:
        return not socket.closed
