"""Peak memory of a whole volume, each contestant in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.bench.contestants import (
    MONAI,
    NO_MONAI,
    TORCH,
    is_installed,
    labels_parity,
    smooth_image,
    untrained_model,
)
from MedSegAI.Logic.bench.fresh_process import FreshRun, run_apart
from MedSegAI.Logic.bench.measure import Answers, Case, Conditions, Contest, Figure, Parity, Target, Unit


@dataclass(frozen=True)
class MemoryVolume:
    """Extent and window (k, j, i), and the number of classes."""

    shape: tuple[int, int, int]
    window: tuple[int, int, int]
    classes: int


class PeakMemoryOfVolume:
    """Ours beside MONAI's ``sliding_window_inference``."""

    name = "memory"
    title = "Peak memory of a whole volume"
    compares = (
        "Memory at its height beyond what the program and the loaded network take, each in a fresh process, against "
        "MONAI's `sliding_window_inference`; network of feature size 12, windows overlapping by a quarter."
    )
    unit = Unit.PEAK_MEMORY
    uses_network = False

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """One volume of many classes, measured once, as memory does not scatter; small ones would say nothing."""
        if conditions.quick:
            return ()
        volume = MemoryVolume((208, 208, 208), (64,) * 3, 14)
        return (memory_case(volume, (Target(TORCH, Figure.TIMES_FASTER, 2.0),)),)

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`; always on the CPU."""
        volume: MemoryVolume = case.about
        with (
            tempfile.TemporaryDirectory(prefix="medsegai-bench-") as room,
            untrained_model(feature_size=12, classes=volume.classes, window=volume.window) as model,
        ):
            image = Path(room) / "image.npy"
            np.save(image, np.round(smooth_image(volume.shape) * 100).astype(np.int16))
            there = [MONAI, TORCH] if is_installed("monai", "einops") else [TORCH]
            runs = {
                name: FreshRun(
                    scheme="monai" if name == MONAI else "ours",
                    model=str(model.folder),
                    image=str(image),
                    labels=str(Path(room) / f"labels-{number}.npy"),
                    threads=conditions.threads,
                )
                for number, name in enumerate(there)
            }
            yield Contest(
                reference=MONAI,
                actions={name: lambda run=run: run_apart(run) for name, run in runs.items()},
                ours=frozenset({TORCH}),
                parity=_parity,
                absent={} if MONAI in there else {MONAI: NO_MONAI},
            )


def memory_case(volume: MemoryVolume, targets: tuple[Target, ...] = ()) -> Case:
    """The case of one volume."""
    extent, window = (" x ".join(map(str, one)) for one in (volume.shape, volume.window))
    return Case(f"{extent}, {volume.classes} classes, windows of {window}", volume, targets, most_rounds=1)


def _parity(answers: Answers) -> dict[str, tuple[Parity, ...]]:
    if MONAI not in answers or TORCH not in answers:
        return {}
    return {TORCH: labels_parity(answers[TORCH], answers[MONAI], limit=1e-4)}
