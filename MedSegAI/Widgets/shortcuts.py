"""Keys that press the panel's buttons while the panel, or something on it, has the focus."""

from __future__ import annotations

from collections.abc import Callable

import qt


class Shortcuts:
    """Keyboard shortcuts of one panel; nothing of them is left after :meth:`remove`.

    Args:
        panel: Where they hold.
        actions: What each key does, such as ``{"Ctrl+Return": segment}``.
    """

    def __init__(self, panel: qt.QWidget, actions: dict[str, Callable[[], None]]) -> None:
        self._shortcuts = [_shortcut(panel, keys, action) for keys, action in actions.items()]

    def remove(self) -> None:
        """Take them away."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts.clear()


def _shortcut(panel: qt.QWidget, keys: str, action: Callable[[], None]) -> qt.QShortcut:
    shortcut = qt.QShortcut(panel)
    shortcut.setKey(qt.QKeySequence(keys))
    shortcut.setContext(qt.Qt.WidgetWithChildrenShortcut)
    shortcut.connect("activated()", action)
    # Slicer's main window may know the key too; with the focus on this panel, it is meant for this panel.
    shortcut.connect("activatedAmbiguously()", action)
    return shortcut
