"""The gateway's own pages: a sentence, what to do, nothing to load."""

from __future__ import annotations

from html import escape

from aiohttp import web

from MedSegAI.Logic.errors import MedSegAIError

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<link rel="icon" href="data:,">
<title>{title} - MedSegAI</title>
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; background: #12161e; color: #e3e6ea; }}
main {{ max-width: 34rem; margin: 22vh auto 0; padding: 0 1.5rem; }}
h1 {{ font-size: 1.5rem; font-weight: 600; }}
a {{ color: #80cbc4; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{paragraphs}
</main>
</body>
</html>
"""
_NEW_CASE = '<p><a href="/">Open a new case</a></p>'
_TRY_AGAIN = '<p><a href="/">Try again</a></p>'


def opening(seconds: float) -> web.Response:
    """The case is starting since ``seconds``; the page asks again by itself."""
    return _page(
        "Opening a case…",
        f"<p>{seconds:.0f} s so far; it takes about ten. This page goes on by itself.</p>"
        '<p>If it does not, <a href="">load it again</a>.</p>',
        refresh='<meta http-equiv="refresh" content="1">\n',
    )


def ended(why: MedSegAIError) -> web.Response:
    """The case of this address is no longer there."""
    return _page("This case is closed", _sentences(why) + _NEW_CASE, status=410)


def silent() -> web.Response:
    """The case of this address is there and does not answer."""
    text = '<p>Its process runs, but it is too busy to answer. <a href="">Load it again</a> in a while.</p>'
    return _page("This case does not answer", text + _NEW_CASE, status=503)


def unknown_case() -> web.Response:
    """No case was ever opened at this address, or long ago."""
    return _page("No such case", f"<p>There is no open case at this address.</p>{_NEW_CASE}", status=404)


def unknown_page() -> web.Response:
    """Nothing is at this address."""
    return _page("No such page", f"<p>There is nothing at this address.</p>{_NEW_CASE}", status=404)


def cannot_open(why: MedSegAIError) -> web.Response:
    """No case can be opened now."""
    return _page("No case could be opened", _sentences(why) + _TRY_AGAIN, status=503)


def refused(sentence: str) -> web.Response:
    """This request may not pass."""
    return _page("No entry", f"<p>{escape(sentence)}</p>", status=403)


def _sentences(error: MedSegAIError) -> str:
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in (error.problem, error.advice) if sentence)


def _page(title: str, paragraphs: str, *, status: int = 200, refresh: str = "") -> web.Response:
    text = _PAGE.format(title=escape(title), paragraphs=paragraphs, refresh=refresh)
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status)
