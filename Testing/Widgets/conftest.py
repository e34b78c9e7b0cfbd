"""The Qt host for the tests of the desktop module; skipped where PySide or Slicer's core is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from Testing.Widgets.qt_host.host import QtHost


@pytest.fixture
def qt_host() -> Iterator[QtHost]:
    """Slicer's surroundings for one test; an exception that Qt swallowed fails the test at its end."""
    pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")
    pytest.importorskip("PySide6.QtUiTools", reason="needs Qt (pip install medsegai[desktop-host])")
    from Testing.Widgets.qt_host.host import QtHost

    with QtHost() as host:
        yield host
        host.close()
        host.raise_slot_errors()
