"""The host's Qt behaves as PythonQt does inside Slicer."""

from __future__ import annotations

import sys
import time

import pytest


@pytest.fixture
def qt(qt_host):
    import qt

    return qt


@pytest.fixture
def swallowed(qt_host):
    """What Qt swallowed, as sentences; taken, so that the host does not raise it at the end."""
    return lambda: [str(error) for error in qt_host.take_slot_errors()]


def test_properties_are_attributes(qt):
    button = qt.QPushButton("Go")
    button.text, button.toolTip, button.enabled, button.name = "Stop", "Ends it.", False, "stopButton"
    assert (button.text, button.toolTip, button.enabled, button.name) == ("Stop", "Ends it.", False, "stopButton")
    assert (button.isEnabled(), button.objectName, button.className()) == (False, "stopButton", "QPushButton")


def test_every_widget_has_its_own_properties(qt):
    box, bar, spin, table = qt.QComboBox(), qt.QProgressBar(), qt.QDoubleSpinBox(), qt.QTableWidget(2, 3)
    box.addItems(["a", "b"])
    box.currentIndex = 1
    bar.value, spin.value = 40, 0.5
    assert (box.count, box.currentText) == (2, "b")
    assert (bar.value, bar.text, bar.maximum, spin.value) == (40, "40%", 100, 0.5)
    assert (table.rowCount, table.columnCount) == (2, 3)


def test_slots_are_methods_still(qt):
    label, bar = qt.QLabel(), qt.QProgressBar()
    label.setText("x")
    bar.setValue(7)
    label.show()
    assert (label.text, bar.value, label.visible) == ("x", 7, True)
    label.hide()
    assert not label.visible


def test_a_misspelt_property_is_an_error(qt):
    with pytest.raises(AttributeError, match="enabeld"):
        qt.QPushButton().enabeld = True
    with pytest.raises(AttributeError, match="read-only"):
        qt.QComboBox().count = 3


def test_a_class_of_the_modules_own_takes_attributes_and_overrides(qt):
    class Panel(qt.QWidget):
        def sizeHint(self):  # noqa: N802
            return qt.QSize(33, 44)

    panel = Panel()
    panel.rows = 3
    panel.adjustSize()
    assert (panel.rows, panel.width, panel.height) == (3, 33, 44)
    assert qt.QLabel("text").sizeHint.width() > 0


def test_signals_are_connected_by_signature_and_give_what_the_function_takes(qt):
    heard = []
    button = qt.QPushButton()
    button.checkable = True
    button.connect("clicked(bool)", heard.append)
    button.connect("clicked()", lambda: heard.append("no argument"))
    button.connect("clicked(bool)", lambda: heard.append("fewer arguments"))
    button.click()
    assert heard == [True, "no argument", "fewer arguments"]


def test_a_disconnected_function_hears_nothing(qt):
    heard = []
    box = qt.QComboBox()
    box.addItems(["a", "b"])
    box.connect("currentTextChanged(QString)", heard.append)
    box.currentText = "b"
    assert box.disconnect("currentTextChanged(QString)", heard.append)
    box.currentText = "a"
    assert heard == ["b"]
    assert not box.disconnect("currentTextChanged(QString)", heard.append)


def test_a_signal_that_does_not_exist_is_an_error(qt):
    with pytest.raises(ValueError, match="no signal pressd"):
        qt.QPushButton().connect("pressd()", print)


@pytest.mark.parametrize("style", ["by signature", "by signal"])
def test_an_exception_in_a_connected_function_is_kept(qt, swallowed, style):
    def fail():
        raise LookupError("lost")

    button = qt.QPushButton()
    if style == "by signature":
        button.connect("clicked()", fail)
    else:
        button.clicked.connect(lambda _: fail())
    button.click()
    assert swallowed() == ["lost"]


def test_a_timer_and_a_single_shot(qt):
    from Testing.Widgets.qt_host.waiting import pump_until

    heard = []
    timer = qt.QTimer()
    timer.interval = 1
    timer.connect("timeout()", lambda: heard.append("timer"))
    timer.start()
    assert timer.active
    qt.QTimer.singleShot(1, lambda: heard.append("once"))
    pump_until(lambda: "once" in heard and heard.count("timer") > 2)
    timer.stop()


def test_a_process_is_read_as_bytes(qt):
    from Testing.Widgets.qt_host.waiting import pump_until

    lines, ended = [], []
    process = qt.QProcess()
    process.connect("readyReadStandardOutput()", lambda: lines.append(process.readAllStandardOutput().data()))
    process.connect("finished(int,QProcess::ExitStatus)", lambda code, status: ended.append(code))
    process.start(sys.executable, ["-c", "print('from the worker')"])
    pump_until(lambda: ended)
    assert b"".join(lines).strip() == b"from the worker"
    assert ended == [0] and process.state() == qt.QProcess.NotRunning


def test_a_shortcut_is_pressed(qt):
    from PySide6.QtTest import QTest

    from Testing.Widgets.qt_host.waiting import pump_until

    heard = []
    window = qt.QWidget()
    shortcut = qt.QShortcut(qt.QKeySequence("Ctrl+Shift+S"), window)
    shortcut.connect("activated()", lambda: heard.append("pressed"))
    window.show()
    window.activateWindow()
    pump_until(lambda: window.isActiveWindow)
    QTest.keyClick(window, qt.Qt.Key_S, qt.Qt.ControlModifier | qt.Qt.ShiftModifier)
    assert heard == ["pressed"]


def test_dialogs_are_recorded_and_answered_by_the_queue(qt, qt_host):
    import slicer

    qt_host.dialogs.answers += [True, qt.QMessageBox.Yes, "/data/scan.nii.gz", False]
    assert slicer.util.confirmOkCancelDisplay("Really?")
    assert qt.QMessageBox.question(None, "Title", "Sure?") == qt.QMessageBox.Yes
    assert qt.QFileDialog.getOpenFileName(None, "Open") == "/data/scan.nii.gz"
    assert not slicer.util.confirmYesNoDisplay("Again?")
    slicer.util.errorDisplay("Broken.", windowTitle="MedSegAI")
    slicer.util.warningDisplay("Careful.")
    kinds = [each.kind for each in qt_host.dialogs.shown]
    assert kinds == ["question", "question", "getOpenFileName", "question", "error", "warning"]
    assert qt_host.dialogs.texts("error") == ["Broken."]


def test_a_question_without_an_answer_fails(qt_host):
    import slicer

    with pytest.raises(AssertionError, match="No answer was prepared"):
        slicer.util.confirmOkCancelDisplay("Really?")


def test_an_error_that_a_dialog_told_is_not_kept_as_well(qt, qt_host, swallowed):
    import slicer

    def fail():
        with slicer.util.tryWithErrorDisplay("It failed."):
            raise OSError("disk full")

    button = qt.QPushButton()
    button.connect("clicked()", fail)
    button.click()
    assert qt_host.dialogs.texts("error") == ["It failed.\n\ndisk full"]
    assert swallowed() == []


def test_the_heartbeat_finds_a_block_and_no_other(qt):
    from Testing.Widgets.qt_host.waiting import Heartbeat, pump

    with Heartbeat() as calm:
        pump(0.1)
    with Heartbeat() as blocked:
        pump(0.02)
        time.sleep(0.2)
        pump(0.02)
    assert len(calm.gaps_ms) > 2
    assert blocked.longest_ms > 195 > 100 > blocked.longest_computed_ms
    assert blocked.blocks_over(150)


def test_waiting_in_vain_ends(qt):
    from Testing.Widgets.qt_host.waiting import pump_until

    with pytest.raises(TimeoutError):
        pump_until(lambda: False, timeout=0.05)
