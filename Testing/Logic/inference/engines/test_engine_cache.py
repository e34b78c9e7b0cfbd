"""The folder in which engines are kept."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

from MedSegAI.Logic.inference.engines import engine_cache
from MedSegAI.Logic.inference.engines.engine_cache import (
    cache_bytes,
    can_keep,
    clear_cache,
    drop_older_than,
    engine_cache_folder,
    keep,
    place_for,
    processor_name,
    read_kept,
)
from MedSegAI.Logic.models.registry import Model, find_model

MODEL = find_model("hippocampus-mr")


def place(model: Model = MODEL, version: str = "1", ending: str = ".network") -> Path:
    return place_for(model, "openvino", depends_on=(version,), ending=ending)


def test_what_was_kept_is_read_back_and_counted_until_it_is_cleared(empty_cache):
    assert read_kept(place()) is None
    assert keep(place(), b"an engine")
    assert bytes(read_kept(place())) == b"an engine"
    assert cache_bytes() == len(b"an engine") + 32
    clear_cache()
    assert (read_kept(place()), cache_bytes()) == (None, 0)
    assert empty_cache in place().parents


def test_what_is_damaged_is_not_read(empty_cache):
    keep(place(), b"an engine")
    content = place().read_bytes()
    for damaged in (content[:-1], content[:-1] + b"X", b"", b"short"):
        place().write_bytes(damaged)
        assert read_kept(place()) is None


def test_other_weights_window_network_version_and_code_have_another_place(empty_cache, monkeypatch):
    def changed(**fields: object) -> Path:
        return place(Model(MODEL.folder, dataclasses.replace(MODEL.card, **fields)))

    places = {
        place(),
        place(version="2"),
        changed(weights_sha256="0" * 64),
        changed(window=(64, 64, 64)),
        changed(network_arguments=MODEL.card.network_arguments | {"feature_size": 24}),
        changed(inputs=MODEL.card.inputs * 2),
    }
    monkeypatch.setattr(engine_cache, "code_digest", lambda: "of other code")
    assert len(places | {place()}) == 7


def test_an_older_engine_of_the_same_model_gives_way_and_nothing_else(empty_cache):
    other = place_for(MODEL, "openvino-int8", depends_on=(), ending=".network")
    kept = [place(version="2"), place(version="1", ending=".check"), other]
    for one in (place(version="1"), *kept):
        keep(one, b"x")
    drop_older_than(place(version="2"))
    assert sorted(engine_cache_folder().iterdir()) == sorted(kept)


def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MEDSEGAI_CACHE", str(tmp_path / "file"))
    assert not keep(place(), b"an engine")
    assert read_kept(place()) is None
    assert cache_bytes() == 0


def test_a_folder_that_may_not_be_changed_stops_nobody(empty_cache, monkeypatch):
    def refuse(*_given: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    keep(place(version="1"), b"x")
    monkeypatch.setattr(Path, "unlink", refuse)
    drop_older_than(place(version="2"))
    assert bytes(read_kept(place(version="1"))) == b"x"
    monkeypatch.setattr(Path, "rglob", refuse)
    assert cache_bytes() == 0


def test_what_a_killed_program_had_half_written_goes_the_day_after(empty_cache):
    keep(place(), b"x")
    old, new = (engine_cache_folder() / f".medsegai-writing-{age}" for age in ("old", "new"))
    for room in (old, new):
        room.mkdir()
        (room / "half").write_bytes(b"x")
    yesterday = time.time() - 25 * 60 * 60
    os.utime(old, (yesterday, yesterday))
    keep(place(), b"x")
    assert (old.exists(), new.exists()) == (False, True)


def test_a_name_with_a_tilde_is_the_same_folder_for_writing_and_reading(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("MEDSEGAI_CACHE", "~/kept")
    assert keep(place(), b"x")
    assert bytes(read_kept(place())) == b"x"
    assert engine_cache_folder() == tmp_path / "kept" / "engines"


def test_whether_something_could_be_kept_is_known_before(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEGAI_CACHE", str(tmp_path / "not" / "there"))
    assert can_keep()
    assert not (tmp_path / "not").exists()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MEDSEGAI_CACHE", str(tmp_path / "file"))
    assert not can_keep()


def test_without_a_name_it_lies_in_the_users_own_folder(monkeypatch):
    monkeypatch.delenv("MEDSEGAI_CACHE", raising=False)
    assert engine_cache_folder().is_relative_to(Path.home())


def test_the_processor_has_a_name():
    assert processor_name()
