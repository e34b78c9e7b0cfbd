"""Errors are sentences with advice, and survive the way between processes."""

from __future__ import annotations

import pickle

import pytest

from MedSegAI.Logic import errors
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled


def test_an_error_says_what_is_wrong_and_what_to_do():
    error = errors.InputError("'a.nii' is empty.", advice="Fetch it again.")
    assert str(error) == "'a.nii' is empty. Fetch it again."
    assert (error.kind, error.exit_code) == ("InputError", 2)


def test_cancelling_is_not_a_failure():
    assert errors.Cancelled().exit_code == 130


def test_an_error_survives_pickling():
    error = pickle.loads(pickle.dumps(errors.ModelError("Broken.", advice="Copy it.")))
    assert (error.kind, error.problem, error.advice) == ("ModelError", "Broken.", "Copy it.")


@pytest.mark.parametrize("kind", ["InputError", "RegionError", "LabelError", "ModelError", "StorageError", "Cancelled"])
def test_an_error_is_rebuilt_from_its_kind(kind: str):
    error = errors.error_from_kind(kind, "Wrong.", advice="Mend it.")
    assert (error.kind, error.problem, error.advice) == (kind, "Wrong.", "Mend it.")


def test_an_unknown_kind_is_still_a_readable_error():
    assert errors.error_from_kind("FromTheFuture", "Wrong.").kind == "MedSegAIError"


def test_a_silent_reporter_keeps_messages_and_never_cancels():
    reporter = SilentReporter()
    reporter.progress(1, 2, "segmenting")
    reporter.message("A plan.")
    raise_if_cancelled(reporter)
    assert reporter.messages == ["A plan."]
    assert isinstance(reporter, Reporter)


def test_a_cancelled_reporter_stops_the_work():
    class Impatient(SilentReporter):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(errors.Cancelled):
        raise_if_cancelled(Impatient())
