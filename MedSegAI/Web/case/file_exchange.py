"""Files between the browser and this process by HTTP: uploads to a private folder, downloads from it."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from aiohttp import web

_READ_AT_ONCE = 1 << 20
_LONGEST_NAME = 120


class FileExchange:
    """The private folder of a case, and the addresses by which the browser reaches it.

    Args:
        received: By the address that an upload is sent to, what is called with its folder when all files are there.
    """

    def __init__(self, received: Mapping[str, Callable[[Path], Awaitable[None]]]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="medsegai-case-", ignore_cleanup_errors=True)
        self._received = received
        self._offered: dict[str, Path] = {}
        self.key = secrets.token_urlsafe(16)
        """What an upload must bring along; only the case's own page knows it."""

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the web server."""
        uploads = [web.post(address, partial(self._upload, received)) for address, received in self._received.items()]
        return [*uploads, web.get("/download/{token}/{name}", self._download)]

    def new_folder(self) -> Path:
        """An empty folder that goes away with the case."""
        return Path(tempfile.mkdtemp(dir=self._folder.name))

    def offer(self, path: Path) -> str:
        """The address, relative to the page, where the browser can fetch a file; only who is told it finds it."""
        token = secrets.token_urlsafe(16)
        self._offered[token] = path
        return f"download/{token}/{quote(path.name)}"

    def without_folder(self, text: str) -> str:
        """A sentence with the files of an upload named as who uploaded them knows them."""
        return re.sub(rf"{re.escape(self._folder.name)}/[^/']+/", "", text)

    def close(self) -> None:
        """Remove the folder with everything in it."""
        self._folder.cleanup()

    async def _upload(self, received: Callable[[Path], Awaitable[None]], request: web.Request) -> web.Response:
        if not secrets.compare_digest(request.headers.get("X-Case-Key", ""), self.key):
            raise web.HTTPForbidden(text="This upload does not come from the case's own page.")
        folder = self.new_folder()
        async for part in await request.multipart():
            if part.filename:
                with _place_for(folder, part.filename).open("wb") as stream:
                    while chunk := await part.read_chunk(_READ_AT_ONCE):
                        stream.write(chunk)
        await received(folder)
        return web.Response(text="received")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        path = self._offered.get(request.match_info["token"])
        if path is None or not path.is_file():
            raise web.HTTPNotFound(text="This file is not offered any more. Ask for the download again.")
        named = f"attachment; filename*=UTF-8''{quote(path.name)}"
        return web.FileResponse(path, headers={"Content-Disposition": named, "Cache-Control": "no-store"})


def _place_for(folder: Path, name: str) -> Path:
    """Where an uploaded file goes: its folders below ``folder`` are kept, whatever leads out of it is not."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    path = folder.joinpath(*(part[-_LONGEST_NAME:] for part in parts or ["file"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
