"""A file that is written beside the main thread: whoever waits for it hears how it ended."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import StorageError


@pytest.fixture
def writing(qt_host):
    import qt

    from MedSegAI.Widgets.background_writing import BackgroundWriting

    note, problem = qt.QLabel(), qt.QLabel()
    writing = BackgroundWriting(note, problem, begun=lambda: None)
    writing.note, writing.problem = note, problem
    return writing


def finish(writing):
    while not writing.poll(timeout=0.1):
        pass


def test_a_file_that_was_written_is_told(writing, tmp_path):
    writing.begin(tmp_path / "out", lambda path: path.write_text("whole"), told="Saved.")
    finish(writing)
    assert (writing.note.text, writing.problem.text) == ("Saved.", "")
    assert (tmp_path / "out").read_text() == "whole" and not writing.is_under_way


def test_sentences_that_the_writer_gives_back_are_told_beside_it(writing, tmp_path):
    writing.begin(tmp_path / "out", lambda path: ("Look at the images.", "A face stays."), told="Saved.")
    finish(writing)
    assert writing.note.text == "Saved.\nLook at the images.\nA face stays."


@pytest.mark.parametrize(
    ("error", "told"),
    [(StorageError("The disk is full."), "The disk is full."), (ValueError("odd"), "Nothing was saved: ValueError")],
    ids=["an error for people", "a mistake of ours"],
)
def test_whatever_goes_wrong_is_told(writing, tmp_path, error, told):
    def fail(_path):
        raise error

    writing.begin(tmp_path / "out", fail, told="Saved.")
    finish(writing)
    assert told in writing.problem.text and writing.note.text == "" and not writing.is_under_way
