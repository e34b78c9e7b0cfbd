"""Figures as tables, sentences and pictures."""

from __future__ import annotations

import dataclasses
import io
import sys

import pytest
from PIL import Image

from MedSegAI.Logic.bench.comparison import compare
from MedSegAI.Logic.bench.measure import Parity, Unit
from MedSegAI.Logic.bench.picture import draw_record
from MedSegAI.Logic.bench.record_file import write_record
from MedSegAI.Logic.bench.sentences import case_sentence, figure, parity_words, times
from MedSegAI.Logic.bench.table import markdown, summary
from Testing.Logic.bench.contests import MACHINE, a_record
from Testing.source_tree import REPOSITORY_ROOT


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (None, Unit.CPU_SECONDS, "-"),
        (12.3456, Unit.CPU_SECONDS, "12.35 s"),
        (0.1234, Unit.WALL_SECONDS, "123 ms"),
        (0.001234, Unit.GPU_SECONDS, "1.23 ms"),
        (1234.5, Unit.PEAK_MEMORY, "1234 MiB"),
    ],
)
def test_figures_have_units_and_about_three_digits(value, unit, words):
    assert figure(value, unit) == words


def test_times_have_a_digit_more_where_they_are_small():
    assert [times(ratio) for ratio in (None, 0.5, 4.567, 123.4)] == ["-", "0.50x", "4.57x", "123.4x"]


def test_an_answer_that_is_not_the_same_is_said_loudly():
    (case,) = a_record([1.0], [0.2], parity=(Parity("off by", 0.3, 0.1), Parity("Dice", 0.25))).measures[0].cases
    words = parity_words(case.contestants[1])
    assert words == "off by 0.3, more than 0.1: NOT THE SAME; Dice 0.25"


def test_a_case_is_told_in_one_line():
    (case,) = a_record([1.0] * 3, [0.2] * 3).measures[0].cases
    assert case_sentence(case) == (
        "one: slow 1.00 s; ours 200 ms (5.00x); elsewhere not installed: pip install elsewhere."
    )
    assert case_sentence(dataclasses.replace(case, problem="No model.")) == "one: not measured. No model."


def test_the_page_says_where_and_how_it_was_measured():
    record = a_record([1.0] * 3, [0.2] * 3)
    page = markdown(record)
    assert f"Measured on {MACHINE.words()}." in page
    assert "1 thread; medians of 3 rounds" in page
    assert "Incomplete" not in page
    assert "| Spinning | one | ours | 5.00x slow's | at least 2x: reached; at most 0.5 s: reached |" in page
    assert "| one | slow | 1.00 s CPU | 0.0% | 1.00 s, 1 MiB | reference |  |  |" in page
    assert "|  | elsewhere | not installed: pip install elsewhere |" in page
    busy = dataclasses.replace(record.measures[0].cases[0], other_cores=1.4)
    measure = dataclasses.replace(record.measures[0], cases=(busy,))
    conditions = {**record.conditions, "quick": True, "threads": 2, "rounds": 1}
    machine = dataclasses.replace(MACHINE, instructions="avx2")
    changes = {"conditions": conditions, "measures": (measure,), "complete": False, "machine": machine}
    page = markdown(dataclasses.replace(record, **changes))
    for words in ("up to 1.4 cores busy", "**Quick", "**Incomplete", "2 threads; 1 round", "for arithmetic: avx2"):
        assert words in page


def test_a_contestant_without_reference_is_told_with_its_seconds():
    record = a_record([], [0.2] * 3, unit=Unit.WALL_SECONDS, reference="ours")
    assert "| Spinning | one | ours | 200 ms |" in summary(record)


def test_a_comparison_stands_in_the_page_with_its_rule():
    now, then = a_record([1.0] * 3, [0.25] * 3), a_record([1.0] * 3, [0.2] * 3)
    page = markdown(now, compared=compare(now, then))
    assert "| Spinning, one: ours | 5.00x | 4.00x | 0.80 | 10% | slower |" in page
    assert "changed by more than 10% and by more than 3 times the scatter" in page


@pytest.mark.parametrize(("unit", "reference"), [(Unit.CPU_SECONDS, "slow"), (Unit.WALL_SECONDS, "ours")])
def test_the_picture_shows_ratios_or_seconds(unit, reference):
    with Image.open(io.BytesIO(draw_record(a_record([1.0] * 3, [0.2] * 3, unit=unit, reference=reference)))) as picture:
        assert picture.format == "PNG"
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert (0, 0x72, 0xB2) in colours, "ours has its bar"
    assert (0xD5, 0x5E, 0) in colours, "the target has its line"


def test_there_is_no_picture_of_nothing():
    assert draw_record(dataclasses.replace(a_record([], []), measures=())) is None


# The tool that puts the figures into a document


@pytest.fixture
def tool():
    sys.path.insert(0, str(REPOSITORY_ROOT / "tools"))
    try:
        import update_speed_table
    finally:
        sys.path.pop(0)
    return update_speed_table


def test_the_figures_take_the_place_of_the_old_ones_and_nothing_else_changes(tool, tmp_path):
    path = write_record(a_record([1.0] * 3, [0.2] * 3), tmp_path)
    path.with_name("bench.png").write_bytes(b"picture")
    document = tmp_path / "docs.md"
    document.write_text(f"Before.\n\n{tool.BEGIN}\nold\n{tool.END}\n\nAfter.\n")
    assert tool.main([str(path), str(document)]) == 0
    written = document.read_text()
    assert written.startswith(f"Before.\n\n{tool.BEGIN}\n\nMeasured on ")
    assert written.endswith(f"{tool.END}\n\nAfter.\n")
    assert "old" not in written
    assert "### Spinning (`--only spinning`)" in written
    assert (tmp_path / "speed.png").read_bytes() == b"picture"
    assert tool.main([str(path), str(document)]) == 0
    assert document.read_text() == written, "the second time changes nothing"


def test_a_document_without_markers_and_a_run_that_was_stopped_are_refused(tool, tmp_path):
    record = a_record([1.0], [0.2])
    document = tmp_path / "docs.md"
    document.write_text("No marker.")
    with pytest.raises(ValueError, match="once each"):
        tool.main([str(write_record(record, tmp_path)), str(document)])
    path = write_record(dataclasses.replace(record, complete=False), tmp_path)
    with pytest.raises(ValueError, match="is no whole run"):
        tool.main([str(path), str(document)])
    assert document.read_text() == "No marker."
    assert tool.main([]) == 2
