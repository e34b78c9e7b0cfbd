"""``medsegai doctor``: is everything here, and what to do where it is not."""

from __future__ import annotations

import argparse
import importlib.util
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.errors import BAD_INPUT_EXIT_CODE
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.scene_file import SLICER_CORE_ADVICE

if TYPE_CHECKING:
    from MedSegAI.Logic.doctor import Check


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``doctor``."""
    parser = commands.add_parser("doctor", parents=[common], help="check that everything is here that is needed")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Examine everything; exit code 2 where nothing can be segmented."""
    from MedSegAI.Logic.doctor import examine, healthy

    checks = examine(of_bridge=_bridge_checks())
    rows = [(check.state.value, check.name, check.found) for check in checks]
    lines: list[str] = []
    for line, check in zip(columns(rows), checks):
        lines.append(line)
        if check.advice:
            lines.append(" " * 9 + check.advice)
    well = healthy(checks)
    lines.append("Ready to segment." if well else "Not ready: mend what is missing above.")
    facts = {
        "healthy": well,
        "checks": [
            {"name": check.name, "state": check.state.value, "found": check.found, "advice": check.advice}
            for check in checks
        ],
    }
    return Outcome(facts, tuple(lines), 0 if well else BAD_INPUT_EXIT_CODE)


def _bridge_checks() -> tuple[Check, ...]:
    """The Slicer core and OpenGL, which only Bridge knows."""
    from MedSegAI.Logic.doctor import Check, State

    if importlib.util.find_spec("slicer") is None:
        return (
            Check("Slicer core", State.MISSING, "not installed", SLICER_CORE_ADVICE),
            Check("OpenGL", State.WARNING, "not examined: it is needed only with the Slicer core"),
        )
    try:
        from MedSegAI.Bridge.graphics import gl_state
        from MedSegAI.Bridge.scene import new_scene

        new_scene()
    except Exception as error:
        return (Check("Slicer core", State.MISSING, f"cannot be used: {error}", SLICER_CORE_ADVICE),)
    state = gl_state()
    graphics = Check("OpenGL", State.OK if state.usable else State.MISSING, state.sentence, state.advice)
    return (Check("Slicer core", State.OK, _slicer_core_version()), graphics)


def _slicer_core_version() -> str:
    from importlib import metadata

    try:
        return f"slicer-core {metadata.version('slicer-core')}: a real MRML scene opens"
    except metadata.PackageNotFoundError:
        return "the Slicer application's own"
