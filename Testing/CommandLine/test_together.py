"""Of several processes that run one command, one speaks."""

from __future__ import annotations

import pytest
from torch.distributed import TCPStore

from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.together import run_together
from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.reporter import Reporter, SilentReporter


@pytest.fixture
def as_process(monkeypatch):
    """Be process 0 or 1 of two that torchrun started; the test itself is torchrun, where they meet."""
    meeting = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)

    def become(rank: int) -> None:
        variables = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1"}
        for name, value in (variables | {"MASTER_PORT": meeting.port, "TORCHELASTIC_USE_AGENT_STORE": True}).items():
            monkeypatch.setenv(name, str(value))

    become(0)
    yield become


def speak(reporter: Reporter) -> Outcome:
    reporter.message("At work.")
    reporter.progress(1, 2, "working")
    return Outcome({"steps": 2}, ("Done.",))


def fail(reporter: Reporter) -> Outcome:
    raise InputError("The batch cannot be divided.", advice="Give another.")


def test_alone_a_command_is_what_it_was(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    reporter = SilentReporter()
    assert run_together(speak, reporter).lines == ("Done.",)
    assert reporter.messages == ["At work."]
    with pytest.raises(InputError, match="cannot be divided"):
        run_together(fail, reporter)


def test_the_first_process_shows_what_all_do(as_process):
    first, second = SilentReporter(), SilentReporter()
    assert run_together(speak, first).facts == {"steps": 2}
    as_process(1)
    with pytest.raises(SystemExit) as left:
        run_together(speak, second)
    assert left.value.code == 0
    assert (first.messages, second.messages) == (["At work."], [])


@pytest.mark.parametrize("first_to_fail", [0, 1])
def test_the_process_that_fails_first_tells_why_and_the_others_leave_silently(as_process, first_to_fail):
    as_process(first_to_fail)
    with pytest.raises(InputError, match="cannot be divided"):
        run_together(fail, SilentReporter())
    as_process(1 - first_to_fail)
    with pytest.raises(SystemExit) as left:
        run_together(fail, SilentReporter())
    assert left.value.code == 2


def test_ctrl_c_is_told_once(as_process):
    def be_stopped(reporter: Reporter) -> Outcome:
        raise Cancelled

    def be_interrupted(reporter: Reporter) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(Cancelled):
        run_together(be_stopped, SilentReporter())
    as_process(1)
    with pytest.raises(SystemExit) as left:
        run_together(be_interrupted, SilentReporter())
    assert left.value.code == 130


def test_a_mute_process_knows_that_the_user_wants_to_stop(as_process):
    as_process(1)
    reporter = ConsoleReporter()
    reporter.cancel()
    seen = []
    with pytest.raises(SystemExit):
        run_together(lambda mute: seen.append(mute.cancelled()) or Outcome(), reporter)
    assert seen == [True]
