"""The windows that fix the ranges of 8-bit numbers: cut and prepared as a user's run does it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from MedSegAI.Logic.files.decathlon import read_case
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled
from MedSegAI.Logic.settings import DeviceChoice, RunSettings


class WindowKeeper:
    """An engine without a network: it keeps windows that it is shown, evenly spread, and calls everything background.

    Args:
        classes: Channels of the logits.
        room: How many windows are kept at most.
    """

    name = "none"
    device_name = logits_device = "cpu"
    fallbacks: tuple[str, ...] = ()

    def __init__(self, classes: int, *, room: int) -> None:
        self.kept: list[np.ndarray] = []
        self._classes = classes
        self._room = room
        self._every = 1
        self._seen = 0

    def predict(self, windows: np.ndarray) -> np.ndarray:
        """Logits (n, classes, k, j, i) float32, all 0, of ``windows`` (n, channels, k, j, i) float32."""
        for window in windows:
            if self._seen % self._every == 0:
                if len(self.kept) == self._room:
                    # How many will come is not known: from here on half as many are kept, and of those before, too.
                    self.kept = self.kept[::2]
                    self._every *= 2
                if self._seen % self._every == 0:
                    self.kept.append(window.copy())
            self._seen += 1
        return np.zeros((len(windows), self._classes, *windows.shape[2:]), dtype=np.float32)

    def step_down(self) -> str:
        """Never asked for: nothing is computed."""
        return ""


def calibration_windows(
    model: Model, folder: Path, names: Sequence[str], *, count: int, reporter: Reporter
) -> list[np.ndarray]:
    """About ``count`` windows (channels, k, j, i) float32 of the cases, as the network is shown them in a run.

    Args:
        model: Says how a scan is prepared; its weights are not read.
        folder: The data folder with ``imagesTr`` and ``labelsTr``.
        names: The cases.
        count: How many windows at most.
        reporter: Told done/total in cases; may cancel between them.

    Raises:
        InputError: if a case cannot be read or does not fit the model.
        RegionError: if the structure is not found in it.
        Cancelled: if the user asked to stop.
    """
    card = model.card
    found: list[np.ndarray] = []
    each = math.ceil(count / len(names))
    settings = RunSettings(device=DeviceChoice.CPU)
    for done, name in enumerate(names):
        raise_if_cancelled(reporter)
        reporter.progress(done, len(names), "reading cases to calibrate with")
        volume, _labels = read_case(folder, name, modality=card.inputs[0].modality)
        keeper = WindowKeeper(card.class_count, room=each)
        segment(volume, model, settings=settings, reporter=SilentReporter(), engine=keeper)
        found += keeper.kept
    return found[:count]
