"""Hands requests and WebSockets on to the process of a case, and its answers back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from typing import Protocol

import aiohttp
from aiohttp import web

from MedSegAI.Web.case_contract import SECRET_HEADER
from MedSegAI.Web.gateway import headers
from MedSegAI.Web.gateway.case_process import Case

# trame cuts whatever it sends into messages of at most 4 MiB (10 MB where an app asks for that); this is ample.
LARGEST_MESSAGE = 64 * 2**20

_FIRST_PAGE = "index.html"
_SECONDS_TO_CONNECT = 10.0
_SECONDS_BETWEEN_HEARTBEATS = 30.0
# These speak of one connection only, or of us. Nothing is compressed on the way inside one computer.
_NOT_HANDED_ON = (
    *("Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer"),
    *("Transfer-Encoding", "Upgrade", "Host", "Cookie", "Accept-Encoding"),
)
_NOT_HANDED_BACK = ("Connection", "Keep-Alive", "Transfer-Encoding", "Set-Cookie", "Server", "Date")
_NOT_ADDED = ("Accept-Encoding", "Content-Type", "User-Agent")


def new_session() -> aiohttp.ClientSession:
    """What speaks to the cases: never through a proxy, never with cookies, for as long as an answer takes."""
    return aiohttp.ClientSession(
        auto_decompress=False,
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_SECONDS_TO_CONNECT),
        trust_env=False,
        skip_auto_headers=_NOT_ADDED,
    )


async def hand_on(request: web.Request, case: Case, session: aiohttp.ClientSession) -> web.StreamResponse:
    """The case's answer to ``request``; for a WebSocket, after it was closed.

    Raises:
        aiohttp.ClientError: if the case does not answer.
    """
    case.seen()
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await _hand_on_websocket(request, case, session)
    return await _hand_on_request(request, case, session)


def connection_of(case: Case) -> dict[str, str]:
    """What trame's page asks for before it connects: where, and with which secret.

    ``USE_HOST`` becomes the host that the browser sees, and ``ws`` becomes ``wss`` on an encrypted page.
    """
    return {"sessionURL": f"ws://USE_HOST{case.url_base}ws", "secret": case.secret}


async def _hand_on_request(request: web.Request, case: Case, session: aiohttp.ClientSession) -> web.StreamResponse:
    told = _without(request.headers, _NOT_HANDED_ON)
    told[SECRET_HEADER] = case.secret
    async with session.request(
        request.method,
        _address(request, case),
        headers=told,
        data=request.content if request.can_read_body else None,
        allow_redirects=False,
    ) as answer:
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        response.headers.extend(_without(answer.headers, _NOT_HANDED_BACK))
        if answer.headers.get("Location", "").startswith("/"):
            response.headers["Location"] = case.url_base + answer.headers["Location"].lstrip("/")
        page = await answer.read() if answer.content_type == "text/html" else b""
        response.headers.update(headers.for_case(page))
        await response.prepare(request)
        try:
            if page:
                await response.write(page)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
        except aiohttp.ClientError:
            # It is too late for a sentence: half of the answer is on its way. A cut connection shows that it is half.
            if request.transport is not None:
                request.transport.abort()
    case.seen()
    return response


async def _hand_on_websocket(request: web.Request, case: Case, session: aiohttp.ClientSession) -> web.StreamResponse:
    protocols = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name.strip()]
    async with session.ws_connect(
        _address(request, case),
        protocols=protocols,
        max_msg_size=LARGEST_MESSAGE,
        headers={SECRET_HEADER: case.secret},
    ) as inner:
        outer = web.WebSocketResponse(
            protocols=[inner.protocol] if inner.protocol else (),
            max_msg_size=LARGEST_MESSAGE,
            heartbeat=_SECONDS_BETWEEN_HEARTBEATS,
            # Most of it are pictures, which are compressed already.
            compress=False,
        )
        await outer.prepare(request)
        case.windows += 1
        try:
            await _both_ways(outer, inner)
        finally:
            case.windows -= 1
            case.seen()
    return outer


async def _both_ways(outer: web.WebSocketResponse, inner: aiohttp.ClientWebSocketResponse) -> None:
    ways = {asyncio.create_task(_one_way(outer, inner)), asyncio.create_task(_one_way(inner, outer))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await inner.close()
        await outer.close(code=aiohttp.WSCloseCode.GOING_AWAY)


async def _one_way(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    target: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)


def _address(request: web.Request, case: Case) -> str:
    below = request.rel_url.raw_path.removeprefix(case.url_base) or _FIRST_PAGE
    query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
    return f"http://127.0.0.1:{case.port}/{below}{query}"


class _Headers(Protocol):
    def copy(self) -> MutableMapping[str, str]: ...


def _without(given: _Headers, names: Iterable[str]) -> MutableMapping[str, str]:
    kept = given.copy()
    for name in names:
        # Not pop(), which leaves the second of two headers of one name.
        if name in kept:
            del kept[name]
    return kept
