"""The desktop module speaks Chinese completely, and in the words of the browser app."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from Testing.source_tree import PACKAGE, REPOSITORY_ROOT

if TYPE_CHECKING:
    from Testing.Widgets.qt_host.host import QtHost

CHINESE_FILE = PACKAGE / "Resources" / "Translations" / "MedSegAI_zh-CN.ts"
MEND = "run: python tools/update_translations.py, and translate what is unfinished"

# Nothing but names and figures: only the punctuation is Chinese.
NO_CHINESE_WORD = {"{label}: Dice {dice:.2f}", "{name} ({modality}):", "{title}:"}
# A verb on buttons, a noun in tables.
DIFFERENT_MEANING = {"Segment"}


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    """tools/update_translations.py."""
    sys.path.insert(0, str(REPOSITORY_ROOT / "tools"))
    import update_translations

    yield update_translations
    sys.path.remove(str(REPOSITORY_ROOT / "tools"))


@pytest.fixture
def qt_host() -> Iterator[QtHost]:
    pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")
    pytest.importorskip("PySide6.QtUiTools", reason="needs Qt (pip install medsegai[desktop-host])")
    from Testing.Widgets.qt_host.host import QtHost

    with QtHost() as host:
        yield host
        host.close()
        host.raise_slot_errors()


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{[^{}]*\}", text))


def chinese_in(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


# The desktop's texts -------------------------------------------------------------------------------------------------


def test_texts_are_found_where_qt_and_slicer_look_for_them(tool, tmp_path: Path):
    form = tmp_path / "Small.ui"
    form.write_text(
        '<ui><class>Small</class><widget><property name="text"><string>Greet</string></property>'
        '<property name="nodeTypes"><stringlist notr="true"><string>vtkMRMLNode</string></stringlist></property>'
        '<property name="toolTip"><string notr="true">x</string></property><string/></widget></ui>'
    )
    assert tool.texts_of_form(form) == ("Small", ["Greet"])
    script = tmp_path / "small_panel.py"
    script.write_text(
        'GREETING = "Hello"\nclass A:\n    def f(self):\n        return _(GREETING), _("{name}, " "hello")\n'
    )
    assert tool.texts_of_script(script) == ["Hello", "{name}, hello"]
    assert tool.context_of(script) == "small_panel"
    (tmp_path / "__init__.py").touch()
    assert tool.context_of(script) == f"{tmp_path.name}.small_panel"


def test_a_text_that_cannot_be_translated_is_refused(tool):
    path = PACKAGE / "Widgets" / "not_there.py"
    call = tool.ast.parse("_(f'{name} is here')")
    with pytest.raises(ValueError, match=r"MedSegAI/Widgets/not_there.py, line 1"):
        tool._text_of(call.body[0].value, tree=call, path=path)


def test_an_update_keeps_what_is_known_drops_what_vanished_and_proposes_what_is_new(tool, tmp_path: Path):
    known = {"a": {"Undo": tool.Translation("撤销", finished=True), "Gone": tool.Translation("没有了", finished=True)}}
    path = tmp_path / "Small_zh-CN.ts"
    path.write_text(tool.as_ts(known, language="zh-CN"), encoding="utf-8")
    assert tool.read_translations(path) == known
    texts = {"a": ["Undo", "New <b> & 'new'"], "b": ["Undo"]}
    updated = tool.brought_up_to_date(known, texts)
    assert updated == {
        "a": {"Undo": known["a"]["Undo"], "New <b> & 'new'": tool.Translation("")},
        "b": {"Undo": tool.Translation("撤销", finished=False)},
    }
    path.write_text(tool.as_ts(updated, language="zh-CN"), encoding="utf-8")
    assert tool.read_translations(path) == updated


def test_the_chinese_file_holds_exactly_the_texts_of_the_tree(tool):
    translated = {context: list(entries) for context, entries in tool.read_translations(CHINESE_FILE).items()}
    assert translated == tool.texts_of_the_tree(), MEND
    assert len([text for texts in translated.values() for text in texts]) > 150


def test_every_desktop_text_is_translated_with_its_placeholders(tool):
    for context, entries in tool.read_translations(CHINESE_FILE).items():
        for text, said in entries.items():
            assert said.finished, f"{context}: {text!r}; {MEND}"
            assert chinese_in(said.text) or text in NO_CHINESE_WORD, f"{context}: {text!r} is no Chinese: {said.text!r}"
            assert placeholders(said.text) == placeholders(text), f"{context}: {text!r}"


def test_the_compiled_file_speaks_for_qt(tool, tmp_path: Path):
    pytest.importorskip("PySide6.QtCore", reason="needs Qt (pip install medsegai[desktop-host])")
    import subprocess

    import PySide6
    from PySide6.QtCore import QTranslator

    compiled = tmp_path / "MedSegAI_zh-CN.qm"
    command = [Path(PySide6.__file__).parent / "lrelease", CHINESE_FILE, "-qm", compiled]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "0 unfinished" in done.stdout, done.stdout
    translator = QTranslator()
    assert translator.load(str(compiled))
    assert translator.translate("MedSegAI", "Heat map") == "热图"
    for context, entries in tool.read_translations(CHINESE_FILE).items():
        for text, said in entries.items():
            assert translator.translate(context, text) == said.text


def test_the_panel_opens_in_chinese(qt_host: QtHost):
    qt_host.speak(CHINESE_FILE)
    opened = qt_host.open_module(PACKAGE / "MedSegAI.py")
    assert "分割影像" in opened.about.parent.helpText
    # From the .ui file, and from panels in Python; both through Qt's own look-up.
    assert opened.ui.heatSection.text == "热图"
    assert opened.ui.cancelButton.text == "取消"
    assert opened.ui.statusLabel.text == "就绪"
    assert opened.ui.segmentsTable.horizontalHeaderItem(2).text() == "置信度"
    left = [each for each in texts_shown(opened) if re.fullmatch(r"[A-Z][a-z]+( [a-z]+)*[.:]?", each)]
    assert not left, "still in English"


def texts_shown(opened) -> list[str]:
    """What buttons, labels and section heads say."""
    return [str(getattr(widget, "text", "")) for name, widget in vars(opened.ui).items() if fixed_text(name)]


def fixed_text(name: str) -> bool:
    """Whether a widget says something of the panel rather than of the model, the case or the computer."""
    return name.endswith(("Button", "Section", "Radio", "Check", "Label")) and name not in ("problemLabel",)


# The browser's texts; Testing/Web/test_case_texts.py holds them complete -------------------------------------


def test_both_faces_use_the_same_words(tool):
    pytest.importorskip("trame", reason="needs the browser app (pip install medsegai[web])")
    from MedSegAI.Web.case.texts import ENGLISH, TRANSLATIONS, texts_in

    english, chinese = texts_in(ENGLISH), TRANSLATIONS["zh"]
    on_desktop = {
        text.rstrip(":"): said.text.rstrip("：")
        for entries in tool.read_translations(CHINESE_FILE).values()
        for text, said in entries.items()
    }
    shared = {name for name, text in english.items() if text in on_desktop and text not in DIFFERENT_MEANING}
    assert len(shared) > 10
    assert {name: chinese[name] for name in shared} == {name: on_desktop[english[name]] for name in shared}
