"""Bring the translations in MedSegAI/Resources/Translations up to date with the texts of the desktop panels.

Run it after changing a text that people read; docs/translations.md tells translators the rest. Qt's own lupdate is of
no use here: it files Python's texts under their class, where ``slicer.i18n.tr`` looks under the file's name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

PACKAGE = Path(__file__).resolve().parents[1] / "MedSegAI"
FOLDER = PACKAGE / "Resources" / "Translations"


@dataclass(frozen=True)
class Translation:
    """What a language says instead of one text.

    Args:
        text: The translation; empty where there is none yet.
        finished: Whether a person has agreed to it; only then is it shown.
    """

    text: str = ""
    finished: bool = False


Texts = dict[str, list[str]]
"""By context, in the order of the source."""
Translations = dict[str, dict[str, Translation]]
"""By context and text."""


def texts_of_the_tree() -> Texts:
    """Every text that people read in the desktop panels, by its context.

    Raises:
        ValueError: if a text cannot be read from the source alone.
    """
    found: dict[str, dict[str, None]] = {}
    for path in sorted((PACKAGE / "Resources" / "UI").glob("*.ui")):
        context, texts = texts_of_form(path)
        found.setdefault(context, {}).update(dict.fromkeys(texts))
    for path in (PACKAGE / "MedSegAI.py", *sorted((PACKAGE / "Widgets").glob("*.py"))):
        found.setdefault(context_of(path), {}).update(dict.fromkeys(texts_of_script(path)))
    return {context: list(texts) for context, texts in sorted(found.items()) if texts}


def context_of(path: Path) -> str:
    """Where ``slicer.i18n.tr`` looks for the texts of a Python file: its name, after its package's if it is in one."""
    in_package = (path.parent / "__init__.py").is_file()
    return f"{path.parent.name}.{path.stem}" if in_package else path.stem


def texts_of_form(path: Path) -> tuple[str, list[str]]:
    """The context of a ``.ui`` file, its class, and what Qt translates in it: all that is not marked ``notr``."""
    root = ElementTree.parse(path).getroot()
    return root.findtext("class", path.stem), list(_form_texts(root))


def _form_texts(element: ElementTree.Element) -> Iterator[str]:
    if element.get("notr") == "true":
        return
    if element.tag == "string" and element.text:
        yield element.text
    for child in element:
        yield from _form_texts(child)


def texts_of_script(path: Path) -> list[str]:
    """The arguments of every call of ``_`` in a Python file.

    Raises:
        ValueError: if one is neither a literal nor a constant of the package.
    """
    tree = _parsed(path)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_underscore(node.func))
    in_order = sorted(calls, key=lambda call: (call.lineno, call.col_offset))
    return [_text_of(call, tree=tree, path=path) for call in in_order]


def _is_underscore(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id == "_"


def _text_of(call: ast.Call, *, tree: ast.Module, path: Path) -> str:
    text: object = None
    argument = call.args[0] if len(call.args) == 1 else None
    if isinstance(argument, ast.Constant):
        text = argument.value
    elif isinstance(argument, ast.Name):
        text = _constant(argument.id, tree)
        if text is None:
            text = _imported_constant(argument.id, tree)
    if not isinstance(text, str):
        raise ValueError(f"{path.relative_to(PACKAGE.parent)}, line {call.lineno}: give _() one text and nothing else.")
    return text


def _constant(name: str, tree: ast.Module) -> object:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return ast.literal_eval(node.value)
    return None


def _imported_constant(name: str, tree: ast.Module) -> object:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(each.name == name for each in node.names):
            source = PACKAGE.parent.joinpath(*node.module.split(".")).with_suffix(".py")
            return _constant(name, _parsed(source)) if source.is_file() else None
    return None


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def read_translations(path: Path) -> Translations:
    """What a ``.ts`` file holds; vanished and obsolete entries are left out."""
    found: Translations = {}
    for context in ElementTree.parse(path).getroot().iter("context"):
        entries = found.setdefault(context.findtext("name", ""), {})
        for message in context.iter("message"):
            kind = message.find("translation").get("type")
            if kind in (None, "unfinished"):
                said = message.findtext("translation") or ""
                entries[message.findtext("source", "")] = Translation(said, finished=kind is None and bool(said))
    return found


def brought_up_to_date(translations: Translations, texts: Texts) -> Translations:
    """The translations of exactly these texts: known ones kept, vanished ones dropped, new ones unfinished.

    Where a new text is known from another context, its translation there is proposed.
    """
    elsewhere = {text: said.text for entries in translations.values() for text, said in entries.items()}
    return {
        context: {
            text: translations.get(context, {}).get(text) or Translation(elsewhere.get(text, "")) for text in of_context
        }
        for context, of_context in texts.items()
    }


def as_ts(translations: Translations, *, language: str) -> str:
    """A ``.ts`` file as Qt Linguist and lrelease read it."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<!DOCTYPE TS>"]
    lines.append(f'<TS version="2.1" language="{language}" sourcelanguage="en">')
    for context, entries in translations.items():
        lines += ["<context>", f"    <name>{escape(context)}</name>"]
        for text, said in entries.items():
            kind = "" if said.finished else ' type="unfinished"'
            lines += ["    <message>", f"        <source>{escape(text)}</source>"]
            lines += [f"        <translation{kind}>{escape(said.text)}</translation>", "    </message>"]
        lines.append("</context>")
    return "\n".join([*lines, "</TS>", ""])


def update(path: Path) -> tuple[int, int]:
    """Bring one ``.ts`` file up to date, begun where it is not there yet; gives its texts and how many lack a word.

    Slicer finds the language in the name: ``MedSegAI_zh-CN.ts``.
    """
    known = read_translations(path) if path.exists() else {}
    translations = brought_up_to_date(known, texts_of_the_tree())
    path.write_text(as_ts(translations, language=path.stem.partition("_")[2]), encoding="utf-8")
    entries = [said for of_context in translations.values() for said in of_context.values()]
    return len(entries), sum(not said.finished for said in entries)


if __name__ == "__main__":
    # Languages to begin, such as de-DE, may be named.
    begun = {FOLDER / f"MedSegAI_{language}.ts" for language in sys.argv[1:]}
    for ts_file in sorted(begun | set(FOLDER.glob("MedSegAI_*.ts"))):
        count, missing = update(ts_file)
        sys.stdout.write(f"{ts_file.name}: {count} texts, {missing} to translate\n")
