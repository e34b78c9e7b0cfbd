"""The process around one case's app: it says when it serves, and ends with its parent."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from MedSegAI.Logic.errors import InputError, MedSegAIError
from MedSegAI.Logic.worker.standard_streams import claim_standard_streams
from MedSegAI.Web.case_contract import SECRET_VARIABLE

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

_log = logging.getLogger(__name__)

_FAILED = 2
_TICK_SECONDS, _LATE_SECONDS = 0.005, 0.010


def serve(options: argparse.Namespace) -> int:
    """Serve one case until standard input ends (where it is a pipe) or SIGTERM or Ctrl-C comes; the exit code.

    Writes one line of JSON to standard output: ``{"ready": {"port": ..., "url": ...}}`` when pictures can be asked for,
    or ``{"error": {"problem": ..., "advice": ...}}``. Everything else goes to standard error.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    parent_holds_a_pipe = _is_pipe(0)
    lines_in, lines_out = claim_standard_streams()
    _keep_trame_from_reading_our_options(options.secret)
    try:
        _refuse_open_door(options)
        asyncio.run(_serve(options, lines_in if parent_holds_a_pipe else None, lines_out))
    except MedSegAIError as error:
        _say(lines_out, {"error": {"problem": error.problem, "advice": error.advice}})
        return _FAILED
    return 0


async def _serve(options: argparse.Namespace, parent: TextIO | None, lines_out: TextIO) -> None:
    from MedSegAI.Web.case.app import CaseApp

    ended = asyncio.Event()
    _call_at_the_end(ended.set, parent)
    app = CaseApp(secret=options.secret)
    try:
        serving = await app.start(host=options.host, port=options.port)
        await app.open_first_scan(options.scan, empty=options.empty)
        _say(lines_out, {"ready": _facts(app, options)})
        watching = asyncio.ensure_future(_watch_loop()) if options.watch_loop else None
        done, _ = await asyncio.wait({serving, asyncio.ensure_future(ended.wait())}, return_when="FIRST_COMPLETED")
        if serving in done:
            serving.result()
        if watching is not None:
            watching.cancel()
    finally:
        await app.close()


async def _watch_loop() -> None:
    """Write a line of JSON for each time that a tick of 5 ms came late: for how long, and when it ended."""
    last = time.perf_counter()
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        now = time.perf_counter()
        if now - last > _LATE_SECONDS:
            _say(sys.stderr, {"loop_block_ms": round(1000 * (now - last), 1), "until": time.time()})
        last = now


def _refuse_open_door(options: argparse.Namespace) -> None:
    from MedSegAI.Web.case.web_guard import is_this_computer

    if not options.secret and not is_this_computer(options.host):
        raise InputError(
            f"'{options.host}' can be reached from other computers, and this case has no secret.",
            advice="Give it a secret, or serve on 127.0.0.1.",
        )


def _facts(app: CaseApp, options: argparse.Namespace) -> dict[str, object]:
    query = f"?secret={options.secret}" if options.secret else ""
    return {"port": app.port, "pid": os.getpid(), "url": f"http://{options.host}:{app.port}/{query}"}


def _call_at_the_end(end: Callable[[], object], parent: TextIO | None) -> None:
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, end)
    if parent is None:
        return

    def wait_for_end_of_input() -> None:
        while parent.readline():
            pass
        loop.call_soon_threadsafe(end)

    threading.Thread(target=wait_for_end_of_input, name="end of input", daemon=True).start()


def _is_pipe(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _keep_trame_from_reading_our_options(secret: str) -> None:
    # trame parses sys.argv for itself unless this variable gives it something else.
    os.environ["TRAME_ARGS"] = f"--server --authKey={secret}" if secret else "--server"
    os.environ.pop(SECRET_VARIABLE, None)


def _say(lines_out: TextIO, line: dict[str, object]) -> None:
    lines_out.write(json.dumps(line) + "\n")
    lines_out.flush()
