"""The flat module ``qt`` that PythonQt offers: all of QtCore, QtGui, QtWidgets and QtUiTools by its plain name."""

from __future__ import annotations

import functools
import types

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from Testing.Widgets.qt_host.dialogs import FileDialog, InputDialog, MessageBox
from Testing.Widgets.qt_host.ui_files import UiLoader


@functools.cache
def qt_module() -> types.ModuleType:
    """The one ``qt`` of this process; modules that imported it keep a valid one when the host is opened again."""
    module = types.ModuleType("qt", __doc__)
    for source in (QtCore, QtGui, QtWidgets, QtUiTools):
        vars(module).update({name: thing for name, thing in vars(source).items() if not name.startswith("_")})
    module.QUiLoader = UiLoader
    # No test can press the buttons of a dialog that waits for them, so these are answered by the test beforehand.
    module.QMessageBox = MessageBox
    module.QFileDialog = FileDialog
    module.QInputDialog = InputDialog
    return module
