"""Bars where somebody watches, JSON lines for machines, silence elsewhere."""

from __future__ import annotations

import io
import json

from MedSegAI.CommandLine.progress import ConsoleReporter, JsonReporter
from MedSegAI.Logic.reporter import Reporter


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_both_are_reporters():
    assert isinstance(ConsoleReporter(), Reporter)
    assert isinstance(JsonReporter(), Reporter)


def test_in_a_pipe_only_messages_are_written():
    stream = io.StringIO()
    with ConsoleReporter(stream) as reporter:
        reporter.progress(1, 2, "segmenting")
        reporter.message("on the CPU")
    assert stream.getvalue() == "on the CPU\n"


def test_on_a_terminal_a_stage_has_a_bar_with_done_and_total(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with ConsoleReporter(stream) as reporter:
        reporter.progress(0, 4, "registering")
        reporter.progress(4, 4, "registering")
        reporter.message("a sentence [with brackets]")
        reporter.progress(3, 7, "segmenting")
    shown = stream.getvalue()
    assert "registering" in shown
    assert "4/4" in shown
    assert "3/7" in shown
    assert "a sentence [with brackets]" in shown


def test_the_bar_of_a_part_gives_way_to_the_next_part_of_the_job(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with ConsoleReporter(stream) as reporter:
        reporter.progress(6, 12, "left part")
        reporter.progress(7, 12, "right part")
        reporter.progress(12, 12, "right part")
    shown = stream.getvalue()
    assert "12/12" in shown
    assert 0 <= shown.rfind("left part") < shown.find("right part")


def test_for_machines_each_event_is_a_json_line():
    stream = io.StringIO()
    with JsonReporter(stream) as reporter:
        reporter.progress(1, 2, "segmenting")
        reporter.message("on the CPU")
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"progress": {"stage": "segmenting", "done": 1, "total": 2}},
        {"message": "on the CPU"},
    ]


def test_a_cancelled_reporter_says_so():
    reporter = ConsoleReporter()
    assert not reporter.cancelled()
    reporter.cancel()
    assert reporter.cancelled()
