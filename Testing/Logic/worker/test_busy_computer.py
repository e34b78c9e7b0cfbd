"""Threads wait with a short spin, unless the user wants otherwise."""

from __future__ import annotations

import os

import pytest

from MedSegAI.Logic.worker.busy_computer import share_from_now_on, sharing_environment


def test_a_child_inherits_the_environment_and_a_short_spin(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.setenv("MEDSEGAI_TRIAL", "kept")
    environment = sharing_environment()
    assert environment["GOMP_SPINCOUNT"] == "1000"
    assert environment["MEDSEGAI_TRIAL"] == "kept"
    assert "GOMP_SPINCOUNT" not in os.environ


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GOMP_SPINCOUNT", "5")
    share_from_now_on()
    assert os.environ["GOMP_SPINCOUNT"] == "5"
