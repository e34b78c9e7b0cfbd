"""Windows to calibrate with are those that a run shows the network."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.files.decathlon import read_case
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, read_model
from MedSegAI.Logic.quantise.calibration import WindowKeeper, calibration_windows
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings


class Watched(WindowKeeper):
    """Keeps every window."""

    def __init__(self, classes):
        super().__init__(classes, room=10_000)


def test_they_are_what_a_run_shows_the_network(hippocampus_folder, hippocampus_crops):
    model = read_model(SHIPPED_MODELS / "hippocampus-mr")
    shown = Watched(model.card.class_count)
    names = [crop.name for crop in hippocampus_crops[:2]]
    for name in names:
        volume, _labels = read_case(hippocampus_folder, name)
        segment(volume, model, settings=RunSettings(device="cpu"), reporter=SilentReporter(), engine=shown)
    found = calibration_windows(model, hippocampus_folder, names, count=10_000, reporter=SilentReporter())
    assert isinstance(shown, Engine)
    assert len(found) == len(shown.kept) > 2
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(found, shown.kept))
    few = calibration_windows(model, hippocampus_folder, names, count=2, reporter=SilentReporter())
    assert [window.shape for window in few] == [(1, *model.card.window)] * 2
    assert not np.array_equal(few[0], few[1])


def test_a_keeper_with_little_room_keeps_windows_from_all_over_the_scan():
    keeper = WindowKeeper(2, room=4)
    for start in range(0, 100, 5):
        windows = np.arange(start, start + 5, dtype=np.float32).reshape(5, 1, 1, 1, 1)
        assert keeper.predict(windows).shape == (5, 2, 1, 1, 1)
    kept = [int(window.max()) for window in keeper.kept]
    assert kept == [0, 32, 64, 96]
