"""A lock has one holder, and goes with it."""

from __future__ import annotations

import os
import subprocess
import sys

from MedSegAI.Logic.files.file_lock import take_lock
from Testing.source_tree import REPOSITORY_ROOT

_HOLDS_IT = """
import os, sys
from MedSegAI.Logic.files.file_lock import take_lock
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
print(take_lock(handle), flush=True)
sys.stdin.read()
"""


def test_the_lock_of_a_process_that_was_killed_is_free_again(tmp_path):
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDS_IT, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY_ROOT,
        text=True,
    )
    assert holder.stdout.readline() == "True\n"
    handle = os.open(path, os.O_RDWR)
    try:
        assert not take_lock(handle)
        holder.kill()
        holder.communicate()
        assert take_lock(handle)
    finally:
        os.close(handle)
