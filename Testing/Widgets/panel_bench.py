"""The panel's widgets over a real session that computes in this process: for tests of one panel by itself."""

from __future__ import annotations

import os
from pathlib import Path

import slicer
from PySide6 import QtWidgets

from MedSegAI.Bridge.scene import open_scene
from MedSegAI.Logic.worker.runner import InlineRunner
from MedSegAI.Session.run import Run
from MedSegAI.Session.session import Session
from Testing.source_tree import PACKAGE
from Testing.Widgets.qt_host.host import QtHost
from Testing.Widgets.qt_host.waiting import pump, screenshot

PANEL = PACKAGE / "Resources" / "UI" / "MedSegAI.ui"
REQUIREMENTS = PACKAGE / "Resources" / "requirements.txt"


class PanelBench:
    """The widgets of the ``.ui`` file and a session; a test puts the panel that it is about between them.

    Args:
        host: Slicer's surroundings.
    """

    def __init__(self, host: QtHost) -> None:
        self.host = host
        self.root = slicer.util.loadUI(str(PANEL))
        self.ui = slicer.util.childWidgetVariables(self.root)
        self.root.setMRMLScene(slicer.mrmlScene)
        self.session = Session(open_scene(), InlineRunner())
        self.root.resize(420, 1200)
        self.root.show()

    @property
    def problem(self) -> str:
        """What the panel says of the last click."""
        return "" if self.ui.problemLabel.isHidden() else self.ui.problemLabel.text

    def work_through(self) -> Run:
        """Poll until nothing is under way."""
        while not self.session.poll():
            pass
        return self.session.run

    def segment(self, scan: object) -> None:
        """Bring a scan in and segment it."""
        self.session.add_scan(scan)
        self.session.start_segment()
        run = self.work_through()
        assert run.error is None, run.error

    def choose(self, combo: QtWidgets.QComboBox, text: str) -> None:
        """Choose an entry of a combo box, as a person does."""
        index = combo.findText(text)
        assert index >= 0, f"{text} is not among {[combo.itemText(i) for i in range(combo.count)]}"
        combo.currentIndex = index
        combo.activated.emit(index)

    def choose_node(self, selector: object, node: object) -> None:
        """Choose a node in a node selector, as a person does."""
        selector.setCurrentNode(node)
        selector.nodeActivated.emit(node)

    def picture(self, section: QtWidgets.QWidget, name: str) -> None:
        """Keep a picture of a section, where the environment says in which folder."""
        section.collapsed = False
        take_picture(section, name)

    def close(self) -> None:
        """End the session."""
        self.session.close()


def take_picture(widget: QtWidgets.QWidget, name: str) -> None:
    """Write what a widget shows to the folder that MEDSEGAI_SCREENSHOTS names; nothing where it names none."""
    pump()
    folder = os.environ.get("MEDSEGAI_SCREENSHOTS")
    if folder:
        screenshot(widget, Path(folder) / f"{name}.png")
