"""The Qt host for the tests of the desktop module; skipped where PySide or Slicer's core is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from MedSegAI.Logic.volume import Volume
    from Testing.conftest import LabelledImage
    from Testing.Widgets.panel_bench import PanelBench
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


@pytest.fixture
def bench(qt_host: QtHost) -> Iterator[PanelBench]:
    """The panel's widgets and a session, for one panel to be put between them."""
    from Testing.Widgets.panel_bench import PanelBench

    made = PanelBench(qt_host)
    yield made
    made.close()


@pytest.fixture
def a_crop(hippocampus_crops: tuple[LabelledImage, ...]) -> Volume:
    """A T1 crop of one hippocampus, about 35 x 50 x 35 mm."""
    from MedSegAI.Logic.files.read import read_volume

    return read_volume(hippocampus_crops[0].image)
