"""A face learns how torch, GPU and models are without importing any of it: the worker looks."""

from __future__ import annotations

import subprocess
import sys

from MedSegAI.Logic.doctor import Check, State, examine
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.worker.runner import InlineRunner, SubprocessRunner


def names_and_states(checks):
    return [(check.name, check.state) for check in checks if check.name != "memory"]


def test_the_worker_finds_what_this_process_finds():
    with SubprocessRunner() as apart, InlineRunner() as inline:
        there = apart.start_examine(SilentReporter()).wait()
        here = inline.start_examine(SilentReporter()).wait()
    assert all(isinstance(check, Check) for check in there)
    assert names_and_states(there) == names_and_states(here) == names_and_states(examine())
    assert {check.name: check.state for check in there}["torch"] is State.OK


def test_asking_the_worker_imports_no_torch_here(repository_root):
    code = """
import sys
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.worker.runner import SubprocessRunner
with SubprocessRunner() as runner:
    checks = runner.start_examine(SilentReporter()).wait()
assert any(check.name == "torch" for check in checks)
sys.exit(any(name in sys.modules for name in ("torch", "monai", "scipy", "SimpleITK")))
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=repository_root).returncode == 0
