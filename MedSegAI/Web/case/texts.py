"""Every text on the screen, by name: each panel's English ones gathered, other languages beside them."""

from __future__ import annotations

from MedSegAI.Web.case import (
    consensus_panel,
    dialogs,
    edit_panel,
    experts_panel,
    export_panel,
    inputs_panel,
    model_panel,
    page,
    pointing_panel,
    prepare_panel,
    raters_table,
    refine_panel,
    region_panel,
    results_panel,
    run_panel,
    saliency_panel,
    series_dialog,
    setup_panel,
    step_settings,
    views,
    window_panel,
)
from MedSegAI.Web.case.chinese import CHINESE

ENGLISH = "en"


def texts_in(language: str) -> dict[str, str]:
    """All texts by name; those that a language has no translation of are English."""
    return {**_english(), **TRANSLATIONS.get(language, {})}


def languages() -> list[dict[str, str]]:
    """The languages to choose from, as ``{title, value}``."""
    return [{"title": NAMES[code], "value": code} for code in (ENGLISH, *TRANSLATIONS)]


def closest_language(wanted: str) -> str:
    """The language for a browser that asks for ``wanted``, such as ``zh-CN``; English where there is none."""
    code = wanted.partition("-")[0].lower()
    return code if code in TRANSLATIONS else ENGLISH


NAMES = {ENGLISH: "English", "zh": "中文"}
TRANSLATIONS = {"zh": CHINESE}
"""By language code: name of the text to the translation of it."""


def _english() -> dict[str, str]:
    modules = (
        consensus_panel,
        dialogs,
        edit_panel,
        experts_panel,
        export_panel,
        inputs_panel,
        model_panel,
        page,
        pointing_panel,
        prepare_panel,
        raters_table,
        refine_panel,
        region_panel,
        results_panel,
        run_panel,
        saliency_panel,
        series_dialog,
        setup_panel,
        step_settings,
        views,
        window_panel,
    )
    return {name: text for module in modules for name, text in module.TEXTS.items()}
