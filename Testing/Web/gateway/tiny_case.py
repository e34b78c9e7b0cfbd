"""A real trame app that keeps to the case contract, as small as can be: a counter, a child process, a private file."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from aiohttp import web
from trame.app import get_server
from trame.ui.vuetify3 import VAppLayout
from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Web.case_contract import SECRET_HEADER, SECRET_VARIABLE


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("scan", nargs="?", default="")
    parser.add_argument("--port", type=int)
    parser.add_argument("--url-base")
    parser.add_argument("--fail", action="store_true")
    parser.add_argument("--hang", action="store_true", help="ignore the end of standard input")
    options = parser.parse_args()
    if options.fail:
        say({"error": {"problem": "The scan <b> is broken.", "advice": "Try another."}})
        sys.exit(2)
    secret = os.environ[SECRET_VARIABLE]
    os.environ["TRAME_ARGS"] = "--server"
    child = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL, start_new_session=True)
    handle, private_file = tempfile.mkstemp()
    os.close(handle)

    server = get_server(client_type="vue3")
    server.cli.set_defaults(authKey=secret)
    server.state.trame__favicon = None
    server.state.count = 0
    server.state.facts = f"scan={Path(options.scan).name} child={child.pid} file={private_file}"

    async def echo(request: web.Request) -> web.Response:
        size = 0
        async for piece in request.content.iter_chunked(2**20):
            size += len(piece)
        facts = {"size": size, "secret": request.headers.get(SECRET_HEADER) == secret, "query": request.query_string}
        return web.json_response({**facts, "headers": sorted(request.headers)})

    @server.trigger("measure")
    def measure(content: bytes) -> int:
        return len(content)

    @server.trigger("close_port")
    def close_port() -> None:
        asyncio.get_running_loop().call_later(0.1, lambda: asyncio.ensure_future(server._server.site.stop()))

    def add_count() -> None:
        server.state.count += 1

    with VAppLayout(server):
        vuetify.VBtn("{{ count }} times", id="count", click=add_count)
        html.Div("{{ facts }}", id="facts")

    server.controller.on_server_bind.add(lambda bound: bound.app.router.add_post("/echo", echo))
    server.controller.on_server_ready.add(lambda **_: say({"ready": {"port": server.port}}))
    if not options.hang:
        threading.Thread(target=_end_after_input, args=(child,), daemon=True).start()
    server.start(port=0, host="127.0.0.1", open_browser=False, show_connection_info=False, timeout=0)


def say(line: dict) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _end_after_input(child: subprocess.Popen) -> None:
    while os.read(0, 4096):
        pass
    child.kill()
    os._exit(0)


if __name__ == "__main__":
    main()
