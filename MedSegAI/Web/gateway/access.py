"""Who may come in: the name the browser called us by, the page a request comes from, and the token."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

from MedSegAI.Web.gateway.settings import GatewaySettings, is_loopback

TOKEN_QUERY = "token"

_SAFE_METHODS = ("GET", "HEAD")


@dataclass(kw_only=True)
class Access:
    """The rules of one gateway.

    Args:
        token: What a person must know to get in; empty for nothing.
        only_loopback: Whether only this computer can reach the gateway.
    """

    token: str = field(repr=False)
    only_loopback: bool
    # The cookie is another secret than the token: browsers show a host's cookies to all of its ports.
    _cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    _cookie_name: str = field(default_factory=lambda: f"medsegai-{secrets.token_hex(4)}")
    _tickets: set[str] = field(default_factory=set, repr=False)

    @classmethod
    def of(cls, settings: GatewaySettings) -> Access:
        """The rules that these settings ask for."""
        return cls(token=settings.token, only_loopback=is_loopback(settings.host))

    def refusal(self, request: web.Request) -> str:
        """Why this request is refused, as a sentence; empty where it may pass."""
        if self.only_loopback and not is_loopback(host_name(request.host)):
            return "This page was asked for under a name that is not this computer's own. Open it as 127.0.0.1."
        if not comes_from_our_pages(request):
            return "This request came from a page of another site, and was not carried out."
        if self.token and not self._has_cookie(request):
            return (
                "A token is needed to open MedSegAI, and this one is missing or wrong. "
                "Open the address once more with ?token= and the token you were given behind it."
            )
        return ""

    def brings_token(self, request: web.Request) -> bool:
        """Whether the address has the right token in it, or a ticket that nobody has used yet."""
        given = request.query.get(TOKEN_QUERY, "")
        if not self.token or not given:
            return False
        if _same(given, self.token):
            return True
        ticket = next((ticket for ticket in self._tickets if _same(given, ticket)), None)
        self._tickets.discard(ticket or "")
        return ticket is not None

    def let_in(self, response: web.StreamResponse) -> None:
        """Make the browser remember that it brought the token."""
        response.set_cookie(self._cookie_name, self._cookie, httponly=True, samesite="Strict", path="/")

    def ticket(self) -> str:
        """A token that works once: for the address that our own browser window is opened with; empty without token."""
        if not self.token:
            return ""
        ticket = secrets.token_urlsafe(32)
        self._tickets.add(ticket)
        return ticket

    def _has_cookie(self, request: web.Request) -> bool:
        return _same(request.cookies.get(self._cookie_name, ""), self._cookie)


def host_name(host: str) -> str:
    """``127.0.0.1`` of ``127.0.0.1:8080``, ``::1`` of ``[::1]:8080``; empty where it is no host at all."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def comes_from_our_pages(request: web.Request) -> bool:
    """Whether no other site's page has made the browser send this request.

    Reading needs no proof, for no other site sees the answer; a WebSocket and everything that changes something do.
    """
    origin = request.headers.get("Origin")
    is_websocket = request.headers.get("Upgrade", "").lower() == "websocket"
    if request.method in _SAFE_METHODS and not is_websocket:
        return True
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() == request.host.lower()
    except ValueError:
        return False


def is_a_persons_visit(request: web.Request) -> bool:
    """Whether a person opens this address, rather than a picture of another page or a browser that looks ahead."""
    looks_ahead = "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    return request.headers.get("Sec-Fetch-Dest", "document") == "document" and not looks_ahead


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
