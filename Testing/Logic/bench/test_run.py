"""A run keeps what it found, whatever ends it."""

from __future__ import annotations

import os

import pytest
import SimpleITK as sitk
import torch
from PIL import Image

from MedSegAI.Logic.bench.measure import Conditions, Unit
from MedSegAI.Logic.bench.record_file import read_record
from MedSegAI.Logic.bench.run import run_bench
from MedSegAI.Logic.errors import Cancelled, DeviceError, MedSegAIError, StorageError
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import DeviceChoice
from Testing.Logic.bench.contests import Spinning, a_record, broken, spin

THREE = Conditions(rounds=3)


def test_each_contestant_is_measured_in_turn_and_the_first_round_does_not_count(tmp_path):
    order = []
    actions = {
        "slow": lambda: order.append("slow") or spin(0.02)(),
        "ours": lambda: order.append("ours") or spin(0.004)(),
        "broken": broken,
    }
    reporter = SilentReporter()
    record = run_bench([Spinning(actions)], THREE, folder=tmp_path / "out", reporter=reporter)
    assert order == ["slow", "ours"] * 4
    assert record == read_record(tmp_path / "out" / "bench.json")
    assert record.complete
    (case,) = record.measures[0].cases
    slow, ours, failed, absent = case.contestants
    assert len(slow.readings) == len(ours.readings) == 3
    assert 2 < case.ratio("ours") < 10
    assert ours.parity[0].holds
    assert failed.failed == "failed: ZeroDivisionError: by nothing"
    assert failed.readings == ()
    assert absent.absent == "not installed: pip install elsewhere"
    assert record.unsound == (), "only ours can be unsound"
    told = next(message for message in reporter.messages if message.startswith("Spinning, one: slow "))
    assert "ours " in told
    assert "elsewhere not installed: pip install elsewhere." in told


def test_the_table_and_the_picture_lie_beside_the_figures(tmp_path):
    earlier = a_record([1.0] * 3, [0.01] * 3)
    options = {"folder": tmp_path / "out", "reporter": SilentReporter(), "earlier": earlier}
    run_bench([Spinning()], THREE, **options)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bench.json", "bench.md", "bench.png"]
    page = (tmp_path / "out" / "bench.md").read_text()
    assert "## Spinning (`--only spinning`)" in page
    assert "at least 2x: reached" in page
    assert "| Spinning, one: ours | 100.0x |" in page
    assert "The earlier run was on another machine: Fast Processor 9000" in page
    with Image.open(tmp_path / "out" / "bench.png") as picture:
        assert picture.width > 800


class StopsDuring:
    """Cancels once so many actions were measured."""

    def __init__(self, actions: int) -> None:
        self.left, self.messages = actions, []

    def progress(self, done: int, total: int, stage: str) -> None:
        self.left -= 1

    def message(self, text: str) -> None:
        self.messages.append(text)

    def cancelled(self) -> bool:
        return self.left <= 0


def test_a_cancelled_run_keeps_what_it_measured_and_says_that_it_is_not_all(tmp_path):
    actions = {"slow": spin(0.002), "ours": spin(0.001)}
    measure = Spinning(actions, names=("one", "two", "three"))
    # Four rounds of two; the second case is stopped in its third.
    with pytest.raises(Cancelled) as stopped:
        run_bench([measure], THREE, folder=tmp_path / "out", reporter=StopsDuring(8 + 5))
    assert stopped.value.advice == f"What was measured is kept in '{tmp_path / 'out'}', marked as incomplete."
    record = read_record(tmp_path / "out" / "bench.json")
    assert not record.complete
    one, two = record.measures[0].cases
    assert (one.complete, two.complete) == (True, False)
    assert [len(who.readings) for who in two.contestants if not who.absent] == [2, 1]
    page = (tmp_path / "out" / "bench.md").read_text()
    assert "**Incomplete: the run was stopped before its end.**" in page
    assert "two (incomplete)" in page


def test_a_keyboard_interrupt_inside_an_action_is_a_cancel(tmp_path):
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(Cancelled) as stopped:
        run_bench([Spinning({"slow": interrupted})], THREE, folder=tmp_path / "out", reporter=SilentReporter())
    assert stopped.value.exit_code == 130
    assert stopped.value.advice == "", "nothing was measured, so nothing is promised"
    assert list((tmp_path / "out").iterdir()) == [], "the same folder can be given again"


def test_what_failed_of_ours_makes_the_run_unsound(tmp_path):
    actions = {"slow": spin(0.001), "ours": spin(0.001, answer=3)}
    record = run_bench([Spinning(actions)], THREE, folder=tmp_path / "out", reporter=SilentReporter())
    assert record.unsound == ("Spinning, one: ours gives another answer: off by 2 where 0.5 is allowed.",)


class CannotBePrepared(Spinning):
    def prepare(self, case, conditions):
        raise MedSegAIError("There is no model.", advice="Import one.")


def test_a_case_that_cannot_be_prepared_is_told_and_the_next_is_measured(tmp_path):
    measures = [CannotBePrepared(), Spinning({"slow": spin(0.001), "ours": spin(0.001)}, name="after")]
    record = run_bench(measures, THREE, folder=tmp_path / "out", reporter=SilentReporter())
    assert record.measures[0].cases[0].problem == "There is no model. Import one."
    assert record.measures[1].cases[0].contestants[0].readings
    assert "not measured: There is no model. Import one." in (tmp_path / "out" / "bench.md").read_text()


def test_threads_are_the_same_everywhere_and_put_back(tmp_path):
    seen = []

    def look() -> int:
        itk = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
        seen.append((torch.get_num_threads(), itk, os.environ["OMP_NUM_THREADS"]))
        return 1

    before = torch.get_num_threads(), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads(), dict(os.environ)
    actions = {"slow": look, "ours": look}
    run_bench([Spinning(actions)], Conditions(rounds=1), folder=tmp_path / "out", reporter=SilentReporter())
    assert set(seen) == {(1, 1, "1")}
    assert before == (
        torch.get_num_threads(),
        sitk.ProcessObject.GetGlobalDefaultNumberOfThreads(),
        dict(os.environ),
    )


def test_who_waits_has_the_threads_that_torch_takes(tmp_path):
    measure = Spinning({"slow": spin(0.001), "ours": spin(0.001)}, unit=Unit.WALL_SECONDS)
    record = run_bench([measure], Conditions(rounds=1), folder=tmp_path / "out", reporter=SilentReporter())
    assert record.measures[0].cases[0].threads == torch.get_num_threads()


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(StorageError, match="holds something already"):
        run_bench([Spinning()], THREE, folder=tmp_path, reporter=SilentReporter())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(DeviceError, match="The GPU cannot be used"):
        run_bench([Spinning()], Conditions(device=DeviceChoice.CUDA), folder=tmp_path / "o", reporter=SilentReporter())
    assert list(tmp_path.iterdir()) == []
