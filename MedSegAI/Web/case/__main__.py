"""``python -m MedSegAI.Web.case``: the browser app of one case, as one process."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from MedSegAI.Web.case_contract import SECRET_VARIABLE


def parser() -> argparse.ArgumentParser:
    """The options of the process."""
    options = argparse.ArgumentParser(prog="python -m MedSegAI.Web.case", description=__doc__)
    options.add_argument("scan", nargs="?", type=Path, metavar="SCAN", help="scan to open (default: the sample head)")
    options.add_argument("--port", type=int, default=0, help="port to serve on (default: any free one)")
    options.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    options.add_argument(
        "--url-base", default="", metavar="PATH", help="path that a proxy in front serves this case at"
    )
    options.add_argument(
        "--secret",
        default=os.environ.get(SECRET_VARIABLE, ""),
        help=f"what every request must bring along; safer in the environment variable {SECRET_VARIABLE}",
    )
    options.add_argument("--empty", action="store_true", help="open no scan")
    options.add_argument(
        "--watch-loop", action="store_true", help="tell on standard error whenever the event loop stood still"
    )
    return options


def main(arguments: list[str] | None = None) -> int:
    """Serve until standard input ends or SIGTERM comes; the exit code."""
    options = parser().parse_args(arguments)
    from MedSegAI.Web.case.process import serve

    return serve(options)


if __name__ == "__main__":
    sys.exit(main())
