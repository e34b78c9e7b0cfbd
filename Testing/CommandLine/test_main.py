"""What every command shares: help, one sentence for each failure, exit codes, quiet pipes."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from MedSegAI.CommandLine import main as main_module
from MedSegAI.CommandLine.interruption import stop_on_signals
from MedSegAI.CommandLine.main import command_line_parser, main
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.Logic.errors import Cancelled, InputError
from Testing.CommandLine.conftest import REPOSITORY_ROOT, start_medsegai

COMMANDS = ("segment", "explain", "evaluate", "models", "train", "doctor", "demo")


@pytest.fixture
def command_that(monkeypatch: pytest.MonkeyPatch):
    """Replace what ``medsegai models list`` does."""

    def replace(action) -> None:
        parse = command_line_parser

        def parser():
            made = parse()
            read = made.parse_args

            def parse_args(arguments):
                options = read(arguments)
                options.run = action
                return options

            made.parse_args = parse_args
            return made

        monkeypatch.setattr(main_module, "command_line_parser", parser)

    return replace


def failing_with(error: BaseException):
    def run(options, reporter):
        raise error

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    assert f"usage: medsegai {command}" in capsys.readouterr().out


def test_the_version_is_shown(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("medsegai")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["segment"],
        ["models"],
        ["doctor", "--js"],
        ["segment", "a.nii", "-o", "b.seg.nrrd", "--overlap", "much"],
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_exit_code_2(arguments, medsegai):
    shown = medsegai(*arguments)
    assert shown.code == 2
    assert shown.out == ""
    assert shown.err.startswith("medsegai: ")
    assert shown.err.count("\n") == 1
    assert "--help" in shown.err


def test_a_wrong_command_line_is_an_object_for_machines(medsegai):
    shown = medsegai("nonsense", "--json")
    error = json.loads(shown.out)["error"]
    assert (shown.code, error["exit_code"], error["kind"]) == (2, 2, "UsageError")
    assert shown.err == ""


def test_an_error_is_shown_as_problem_and_advice(medsegai, command_that):
    command_that(failing_with(InputError("'x' is\nbroken.", advice="Mend it.")))
    shown = medsegai("models", "list")
    assert shown == type(shown)(2, "", "medsegai: 'x' is broken. Mend it.\n")


def test_an_error_is_an_object_for_machines(medsegai, command_that):
    command_that(failing_with(InputError("'x' is broken.", advice="Mend it.")))
    shown = medsegai("models", "list", "--json")
    assert json.loads(shown.out) == {
        "error": {"kind": "InputError", "problem": "'x' is broken.", "advice": "Mend it.", "exit_code": 2}
    }
    assert (shown.code, shown.err) == (2, "")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Cancelled()])
def test_a_stopped_command_leaves_with_130(error, medsegai, command_that):
    command_that(failing_with(error))
    shown = medsegai("models", "list")
    assert shown.code == 130
    assert "Cancelled" in shown.err
    assert "Traceback" not in shown.err


def test_a_fault_of_the_program_asks_for_a_report_and_leaves_a_log(medsegai, command_that, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    command_that(failing_with(ZeroDivisionError("by zero")))
    shown = medsegai("models", "list")
    (log,) = tmp_path.glob("medsegai-*.log")
    assert shown.code == 1
    assert "ZeroDivisionError" in shown.err
    assert str(log) in shown.err
    assert "Traceback" not in shown.err
    assert "Traceback" in log.read_text()


def test_a_fault_is_told_even_where_no_log_can_be_written(medsegai, command_that, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    command_that(failing_with(ZeroDivisionError()))
    shown = medsegai("models", "list")
    assert shown.code == 1
    assert "Traceback" in shown.err


def test_too_little_memory_is_a_sentence(medsegai, command_that):
    command_that(failing_with(MemoryError()))
    shown = medsegai("models", "list")
    assert shown.code == 2
    assert "memory" in shown.err


def test_warnings_of_our_own_become_messages_and_those_of_others_stay_away(medsegai, command_that):
    def run(options, reporter):
        import warnings

        warnings.warn("nobody needs this", stacklevel=1)
        logging.getLogger("MedSegAI.Logic").warning("the disk is %s", "slow")
        return Outcome({"done": True}, ("done",))

    command_that(run)
    shown = medsegai("models", "list")
    assert shown == type(shown)(0, "done\n", "the disk is slow\n")


def test_numbers_that_json_does_not_know_are_null(medsegai, command_that):
    command_that(lambda options, reporter: Outcome({"a": [float("nan"), 1.5], "b": {"c": float("inf")}}))
    assert json.loads(medsegai("models", "list", "--json").out) == {"a": [None, 1.5], "b": {"c": None}}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_mark_the_reporter_and_raise_and_the_old_handlers_return(number):
    reporter, before = ConsoleReporter(), signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), stop_on_signals(reporter):
        os.kill(os.getpid(), number)
    assert reporter.cancelled()
    assert signal.getsignal(number) is before


def test_the_command_runs_as_a_module_and_stays_quiet_in_a_pipe():
    command = start_medsegai("models", "list")
    out, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (0, "")
    assert "untrained-hippocampus" in out


def test_a_closed_pipe_is_no_error():
    command = start_medsegai("models", "info", "untrained-hippocampus", bufsize=0)
    command.stdout.close()
    assert command.wait(timeout=60) == 0
    assert command.stderr.read() == ""


def test_asking_for_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom MedSegAI.CommandLine.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'torch', 'SimpleITK', 'vtk', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY_ROOT, capture_output=True, text=True)
    assert done.stderr.strip() == "[]"


def test_no_command_does_array_arithmetic():
    for path in Path(main_module.__file__).parent.glob("*.py"):
        assert not any(f"import {name}" in path.read_text() for name in ("numpy", "torch", "SimpleITK")), path


def test_a_region_may_begin_with_a_minus():
    """argparse alone takes ``-44,-8,...`` for an option."""
    from MedSegAI.CommandLine.case_options import with_regions_joined

    region = "-44,-8,-46,4,-34,8"
    for written in (["--roi", region], [f"--roi={region}"]):
        options = command_line_parser().parse_args(with_regions_joined(["segment", "a.nii", "-o", "b.nii", *written]))
        assert options.roi == region
