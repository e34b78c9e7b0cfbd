"""The options of ``python -m MedSegAI.Web``, and what it says in the terminal."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from MedSegAI.Logic.errors import InputError, MedSegAIError
from MedSegAI.Web.gateway.case_process import TOKEN_VARIABLE
from MedSegAI.Web.gateway.settings import GatewaySettings

_SECONDS_PER_MINUTE = 60.0


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the browser app until Ctrl-C; the exit code: 0 after an orderly end, 2 for what a person can mend."""
    options = command_line_parser().parse_args(argv)
    logging.basicConfig(format="medsegai: %(message)s", level=logging.WARNING)
    try:
        # Only here: it takes a second to import, and --help needs none of it.
        from MedSegAI.Web.gateway.gateway import serve

        settings = settings_of(options).checked()
        asyncio.run(serve(settings, on_ready=lambda address, way_in: _say_ready(options, address, way_in)))
    except MedSegAIError as error:
        sys.stderr.write(f"medsegai: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


def command_line_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m MedSegAI.Web",
        description="Segment scans in the browser. Every window gets a case of its own; nothing leaves this computer.",
        allow_abbrev=False,
    )
    defaults = GatewaySettings()
    parser.add_argument("scan", nargs="?", type=Path, metavar="SCAN", help="scan to open (default: the sample head)")
    parser.add_argument("--host", default=defaults.host, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=defaults.port, help="port, 0 for any (default: %(default)s)")
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token", default="", help="what one must know to get in; other users of the computer see it")
    token.add_argument("--token-file", type=Path, metavar="FILE", help="file whose first line is the token")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    parser.add_argument(
        "--most-cases",
        type=int,
        default=defaults.most_cases,
        help="how many cases may be open at once; each takes about 0.7 GiB of memory (default: %(default)s)",
    )
    parser.add_argument(
        "--minutes-without-window",
        type=float,
        default=defaults.seconds_without_window / _SECONDS_PER_MINUTE,
        help="how long a case is kept after its window was closed (default: %(default)g)",
    )
    parser.add_argument(
        "--spare",
        action="store_true",
        help="keep one case started ahead, so that the next window opens at once; takes another 0.7 GiB of memory",
    )
    return parser


def settings_of(options: argparse.Namespace) -> GatewaySettings:
    """The settings that these options ask for.

    Raises:
        InputError: if the token's file cannot be read, or is empty.
    """
    return GatewaySettings(
        host=options.host,
        port=options.port,
        token=_token(options),
        scan=options.scan,
        most_cases=options.most_cases,
        seconds_without_window=options.minutes_without_window * _SECONDS_PER_MINUTE,
        keep_spare=options.spare,
    )


def _token(options: argparse.Namespace) -> str:
    if options.token_file is None:
        return options.token or os.environ.get(TOKEN_VARIABLE, "")
    try:
        lines = options.token_file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The token's file {options.token_file} cannot be read.", advice="Check its path.") from error
    if not lines:
        raise InputError(f"The token's file {options.token_file} is empty.", advice="Write the token into it.")
    return lines[0]


def _say_ready(options: argparse.Namespace, address: str, way_in: str) -> None:
    sys.stdout.write(f"MedSegAI is at {address} (Ctrl-C ends it and every open case).\n")
    if way_in != address:
        sys.stdout.write("The first time, put ?token= and your token behind that address.\n")
    sys.stdout.flush()
    if not options.no_browser and _has_screen():
        webbrowser.open(way_in)


def _has_screen() -> bool:
    # Without one Python would start a browser for text terminals, in this very terminal.
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
