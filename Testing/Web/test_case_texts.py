"""The texts of the browser app: one of each name, all of them translated, and none that no widget shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("trame_slicer", reason="the browser app's packages are not installed")

from MedSegAI.Logic.standardise.catalogue import step_kinds
from MedSegAI.Logic.standardise.ct.window_presets import WINDOW_PRESETS
from MedSegAI.Session.step_offers import offer_of
from MedSegAI.Web.case.texts import ENGLISH, TRANSLATIONS, languages, texts_in

CASE = Path(__file__).resolve().parents[2] / "MedSegAI" / "Web" / "case"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_text_has_a_translation(language):
    assert TRANSLATIONS[language].keys() == texts_in(ENGLISH).keys()
    assert all(text.strip() for text in TRANSLATIONS[language].values())


def test_every_tooltip_belongs_to_a_control():
    names = texts_in(ENGLISH).keys()
    assert {name for name in names if name.endswith("_tip") and name.removesuffix("_tip") not in names} == set()


def test_every_text_that_the_page_asks_for_is_there():
    code = "\n".join(path.read_text(encoding="utf-8") for path in CASE.glob("*.py") if path.name != "chinese.py")
    asked = set(re.findall(r"\bt\.([a-z_0-9]+)\b", code)) - {"name", "text"}
    complete = {name for name in asked if not name.endswith("_")}
    assert complete
    assert complete - texts_in(ENGLISH).keys() == set()


def test_a_language_that_is_unknown_is_english():
    assert texts_in("xx") == texts_in(ENGLISH)
    assert [language["value"] for language in languages()] == [ENGLISH, *TRANSLATIONS]


def test_every_step_and_setting_of_preparation_has_a_text_that_can_be_translated():
    english = texts_in(ENGLISH)
    for kind, step in step_kinds().items():
        assert english[f"step_{kind.replace('-', '_')}"] == step.title
        assert {f"setting_{setting.name}" for setting in offer_of(step).settings} <= english.keys()


def test_every_window_with_a_name_has_a_text():
    english = texts_in(ENGLISH)
    assert all(english[f"window_{preset.key}"] == preset.title for preset in WINDOW_PRESETS)
