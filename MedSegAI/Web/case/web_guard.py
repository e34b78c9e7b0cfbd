"""What every answer and request of a case's web server keeps to: a secret, one origin, nothing from elsewhere."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from MedSegAI.Web.case_contract import SECRET_HEADER

SECRET_COOKIE = "medsegai_case"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# The page's templates are compiled in the browser, which needs eval. The browser itself then refuses any request that
# would leave this server, whatever a package may ask for.
_ONLY_FROM_HERE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _ONLY_FROM_HERE,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def guard(app: web.Application, *, secret: str) -> None:
    """Let only those in who know the secret, or come from a page of this server; keep the page from leaving it.

    The secret comes in a header from the gateway in front, or once as ``?secret=`` in the address, which leaves a
    cookie and takes the secret out of the address.

    Args:
        app: The web application, before it starts.
        secret: Empty lets in everyone on this computer.
    """

    @web.middleware
    async def check(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if secret and _is(request.headers.get(SECRET_HEADER), secret):
            return await handler(request)
        _refuse_other_origins(request)
        if not secret:
            _refuse_other_names(request)
        if secret and "secret" in request.query and _is(request.query["secret"], secret):
            answer: web.StreamResponse = web.Response(status=302, headers={"Location": "/index.html"})
            answer.set_cookie(SECRET_COOKIE, secret, httponly=True, samesite="Strict")
            return answer
        if secret and not _is(request.cookies.get(SECRET_COOKIE), secret):
            raise web.HTTPForbidden(text="The address of this case lacks its secret.")
        return await handler(request)

    async def tell_the_page_where_to_connect(_request: web.Request) -> web.Response:
        # trame's page asks this first. A gateway in front answers it itself.
        return web.json_response({"sessionURL": "ws://USE_HOST/ws", **({"secret": secret} if secret else {})})

    async def add_headers(_request: web.Request, answer: web.StreamResponse) -> None:
        for name, value in _HEADERS.items():
            answer.headers.setdefault(name, value)

    app.router.add_post("/paraview/", tell_the_page_where_to_connect)
    app.middlewares.append(check)
    app.on_response_prepare.append(add_headers)


def _is(told: str | None, secret: str) -> bool:
    return told is not None and secrets.compare_digest(told.encode(), secret.encode())


def _refuse_other_origins(request: web.Request) -> None:
    # Any web page may open a web socket to this computer; the browser then says which page it was.
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host", ""):
        raise web.HTTPForbidden(text="Only the case's own page may ask for this.")


def _refuse_other_names(request: web.Request) -> None:
    # A web page elsewhere can give its own name the address of this computer; it then is its own origin here.
    if not is_this_computer(urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""):
        raise web.HTTPForbidden(text="Without a secret, a case is only for this computer.")


def is_this_computer(host: str) -> bool:
    """Whether a host's name or address can only mean the computer that it is said on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
