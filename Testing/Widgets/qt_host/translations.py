"""``slicer.i18n``: texts in the application's language, from the ``.ts`` files that Qt's own compiler reads."""

from __future__ import annotations

import re
import subprocess
import sys
import types
from pathlib import Path

import PySide6
import slicer
from PySide6 import QtCore

_loaded: list[QtCore.QTranslator] = []


def load_translation(ts_file: Path, folder: Path) -> None:
    """Speak another language from now on; compiled with Qt's lrelease, as Slicer's build does, into ``folder``.

    Raises:
        ValueError: if the file cannot be compiled or read.
    """
    compiled = folder / f"{ts_file.stem}.qm"
    compiler = Path(PySide6.__file__).parent / "lrelease"
    done = subprocess.run([compiler, ts_file, "-qm", compiled], capture_output=True, text=True, check=False)
    translator = QtCore.QTranslator()
    if done.returncode != 0 or not translator.load(str(compiled)):
        raise ValueError(f"{ts_file} is no translation: {done.stdout}{done.stderr}")
    QtCore.QCoreApplication.installTranslator(translator)
    _loaded.append(translator)


def unload_translations() -> None:
    """Speak the language of the source again."""
    while _loaded:
        QtCore.QCoreApplication.removeTranslator(_loaded.pop())


def translate(context: str, text: str) -> str:
    """A text as the translation of its context has it; the text itself where there is none."""
    return slicer.app.translate(context, text)


def tr(text: str) -> str:
    """A text as the translation of the calling file has it: the context is the file's name without its ending.

    A translation that lost a ``{placeholder}`` of the text is not used, as in Slicer.
    """
    caller = Path(sys._getframe(1).f_code.co_filename)
    has_package = (caller.parent / "__init__.py").is_file()
    context = f"{caller.parent.name}.{caller.stem}" if has_package else caller.stem
    translated = translate(context, text)
    return translated if _placeholders(translated) == _placeholders(text) else text


def _placeholders(text: str) -> set[str]:
    return set(re.findall(r"(?<!\{)\{([^{}]+)\}(?!\})", text))


def translation_namespace() -> types.ModuleType:
    """The module ``slicer.i18n``."""
    module = types.ModuleType("slicer.i18n", __doc__)
    module.tr = tr
    module.translate = translate
    return module
