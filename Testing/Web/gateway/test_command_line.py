"""``python -m MedSegAI.Web``: its options, its sentences, its exit codes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Web.gateway.command_line import command_line_parser, settings_of
from Testing.Web.gateway.running_gateway import REPOSITORY_ROOT, TOKEN


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if name != "MEDSEGAI_TOKEN"}
    return subprocess.run(
        [sys.executable, "-m", "MedSegAI.Web", "--no-browser", *arguments],
        cwd=REPOSITORY_ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


def settings(*arguments: str):
    return settings_of(command_line_parser().parse_args(arguments))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_a_bind_to_anything_but_loopback_without_a_token_is_refused(host):
    done = run("--host", host, "--port", "0")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"Serving on {host} would show every case" in done.stderr


def test_a_port_in_use_is_said_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("--port", port)
    assert done.returncode == 2
    assert f"Port {port} of 127.0.0.1 cannot be listened on: it is in use already." in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_address_that_is_not_this_computers_is_said_in_a_sentence():
    done = run("--host", "192.0.2.1", "--port", "0", MEDSEGAI_TOKEN=TOKEN)
    assert done.returncode == 2
    assert "192.0.2.1 cannot be listened on." in done.stderr
    assert TOKEN not in done.stderr


def test_a_scan_that_is_not_there_is_said_in_a_sentence():
    done = run("/nowhere/head.nii.gz")
    assert (done.returncode, "There is no file or folder /nowhere/head.nii.gz." in done.stderr) == (2, True)


def test_help_needs_neither_trame_nor_a_server():
    done = run("--help")
    assert done.returncode == 0
    assert "--token-file" in done.stdout


def test_the_token_comes_from_an_option_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("MEDSEGAI_TOKEN", raising=False)
    assert settings().token == ""
    assert settings("--token", TOKEN).token == TOKEN
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert settings("--token-file", str(file)).token == TOKEN
    monkeypatch.setenv("MEDSEGAI_TOKEN", "from-the-environment")
    assert settings().token == "from-the-environment"
    assert settings("--token", TOKEN).token == TOKEN


def test_a_token_file_that_holds_none_is_refused_rather_than_taken_for_no_token(tmp_path):
    empty = tmp_path / "token"
    empty.touch()
    with pytest.raises(InputError, match="is empty"):
        settings("--token-file", str(empty))
    with pytest.raises(InputError, match="cannot be read"):
        settings("--token-file", str(tmp_path / "other"))


def test_the_options_reach_the_settings():
    chosen = settings("--port", "0", "--most-cases", "2", "--minutes-without-window", "0.5", "--spare", "x.nii")
    assert (chosen.port, chosen.most_cases, chosen.seconds_without_window) == (0, 2, 30.0)
    assert (chosen.keep_spare, chosen.scan.name) == (True, "x.nii")
    assert not settings().keep_spare
