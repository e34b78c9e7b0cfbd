"""The machine in words, and what else it is doing."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from dataclasses import asdict

import pytest

from MedSegAI.Logic.bench.machine import (
    OtherPrograms,
    busy_sentence,
    look_at_other_programs,
    this_machine,
    usable_cores,
    versions,
)

CPU_INFO = """processor : 0
model name : Fast Processor 9000
flags : fpu avx2 amx_int8 sse

processor : 1
model name : Another
"""


def test_the_machine_is_described_and_nobody_is_named(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text(CPU_INFO)
    machine = this_machine(cpu_info=info)
    assert machine.processor == "Fast Processor 9000"
    assert machine.instructions == "avx2 amx_int8"
    assert machine.cores == usable_cores() >= 1
    words = machine.words()
    assert words.startswith(f"Fast Processor 9000, {machine.cores} cores, {machine.memory_gib:.0f} GiB, ")
    host = platform.node()
    assert not host or host not in json.dumps(asdict(machine))


def test_a_system_without_linuxs_list_still_has_a_processor(tmp_path):
    machine = this_machine(cpu_info=tmp_path / "missing", gpu="NVIDIA Example")
    assert machine.processor
    assert machine.instructions == ""
    assert machine.words().endswith(", NVIDIA Example")


def test_versions_name_what_takes_part():
    found = versions()
    assert {"Python", "torch", "numpy", "SimpleITK", "scipy"} <= set(found)
    assert "nnunetv2" not in found or found["nnunetv2"]


def test_own_work_does_not_count_as_other_programs():
    others = OtherPrograms()
    assert others.cores() is None, "too short to tell"
    quiet = _others_while(lambda: time.sleep(0.3))
    # On a busy machine others are there anyway; our own spinning must not add to them.
    spinning = _others_while(lambda: _spin(0.5))
    assert spinning <= max(quiet, 0.2) + 0.5 * usable_cores()


def test_a_busy_machine_is_told():
    assert busy_sentence(None) is None
    assert busy_sentence(0.1) is None
    assert "other programs keep 1.5 of" in busy_sentence(1.5)


@pytest.mark.skipif(usable_cores() < 2, reason="needs a second core")
def test_another_program_at_work_is_seen():
    # A grandchild whose parent has ended is no program of ours any more.
    spin = "import time\nend = time.time() + 2.5\nwhile time.time() < end: pass"
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {spin!r}], start_new_session=True)"
    subprocess.run([sys.executable, "-c", orphan], check=True)
    assert "The machine is busy" in look_at_other_programs(1.0)


def _others_while(work) -> float:
    others = OtherPrograms()
    work()
    return others.cores()


def _spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
