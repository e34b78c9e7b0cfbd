"""Nothing that a library prints reaches the protocol's lines."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, sys
from MedSegAI.Logic.worker.standard_streams import claim_standard_streams
print("before", flush=True)
lines_in, lines_out = claim_standard_streams()
print("from python")
os.write(1, b"from C\\n")
os.system("echo from a child")
os.system("cat > /dev/null")
assert sys.stdin.read() == ""
lines_out.write("heard " + lines_in.readline())
lines_out.flush()
"""


def test_prints_of_python_c_and_children_go_to_standard_error_and_lines_stay_whole(repository_root):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input="a line é\n", capture_output=True, encoding="utf-8", cwd=repository_root
    )
    assert done.stdout == "before\nheard a line é\n"
    assert {"from python", "from C", "from a child"} <= set(done.stderr.splitlines())
    assert done.returncode == 0
