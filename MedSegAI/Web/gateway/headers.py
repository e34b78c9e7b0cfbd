"""The headers of every answer: they make the browser itself refuse whatever would leave this computer."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
    # Pictures of patients do not belong into the browser's store; and every case has addresses of its own anyway.
    "Cache-Control": "no-store",
}
# Instead of the versions of Python and aiohttp.
SERVER = {"Server": "MedSegAI"}
_POLICY = "Content-Security-Policy"
# Vue makes functions of its templates in the browser, which needs 'unsafe-eval'; Vuetify writes styles as it goes.
_CASE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'{scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "connect-src 'self' data: blob:; object-src 'none'; frame-src 'none'; frame-ancestors 'none'; base-uri 'self'; "
    "form-action 'self'"
)
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def for_every_answer() -> dict[str, str]:
    """Headers of every answer, with the strictest policy: nothing is loaded, from nowhere."""
    return {**_ALWAYS, _POLICY: _PAGE_POLICY}


def for_case(html: bytes = b"") -> dict[str, str]:
    """Headers of what a case serves: it may load from its own origin; of inline scripts only those in ``html`` run."""
    hashes = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in _inline_scripts(html))
    scripts = "".join(f" 'sha256-{text}'" for text in hashes)
    return {**_ALWAYS, _POLICY: _CASE_POLICY.format(scripts=scripts)}


def _inline_scripts(html: bytes) -> Iterable[bytes]:
    # A browser hashes the text after it has turned every line end into a line feed.
    return _INLINE_SCRIPT.findall(html.replace(b"\r\n", b"\n"))
