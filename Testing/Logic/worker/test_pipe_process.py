"""A worker process under Python's own subprocess module, where it behaves in ways that a job never meets."""

from __future__ import annotations

import os
import sys

import psutil
import pytest

from MedSegAI.Logic.worker import pipe_process
from MedSegAI.Logic.worker.pipe_process import PipeProcess
from MedSegAI.Logic.worker.protocol import Cancel


@pytest.fixture
def start(tmp_path):
    started = []

    def begin(code):
        script = tmp_path / "worker.py"
        script.write_text(f"#!{sys.executable}\nimport os, sys, time\n{code}\n")
        script.chmod(0o755)
        started.append(PipeProcess(tmp_path, python=str(script), idle_seconds=1))
        return started[-1]

    yield begin
    for process in started:
        process.close()
        assert not psutil.pid_exists(process.pid)


def test_a_process_that_has_ended_takes_no_lines_and_is_not_killed_again(start):
    process = start("sys.exit(0)")
    assert process.ended_well
    assert not process.send(Cancel(1))
    process.stop()
    process.close()


def test_a_process_that_lives_on_in_silence_is_ended(start, monkeypatch):
    monkeypatch.setattr(pipe_process, "_SECONDS_WITHOUT_OUTPUT", 0.1)
    process = start("os.close(1); time.sleep(60)")
    assert process.next_event(timeout=10) is None
    assert not process.ended_well
    assert "killed" in process.explain_end().problem


@pytest.mark.skipif(os.name != "posix", reason="ignores a POSIX signal")
def test_a_process_that_ignores_being_asked_is_killed(start):
    process = start(
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        'print(\'{"type":"accepted","job":1}\', flush=True); time.sleep(60)'
    )
    assert process.next_event(timeout=10).job == 1
    process.stop()
    process.stop()
    assert process.is_alive
    assert process.next_event(timeout=10) is None
    assert "(signal 9)" in process.explain_end().problem


def test_of_a_long_log_only_the_last_line_is_told(start):
    process = start("sys.stderr.write('chatter. ' * 100_000 + '\\nThe last word.'); sys.exit(3)")
    assert process.next_event(timeout=10) is None
    assert process.explain_end().problem.endswith("(exit code 3) before it had finished: The last word.")
