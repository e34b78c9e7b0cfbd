"""What a run will need of the computer's memory, known before it starts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.free_memory import free_gpu_memory, free_memory
from MedSegAI.Logic.inference.windows import planes_at_once, window_starts
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings

# Fitted to Testing/Benchmarks/activation_memory.py: float32 on the CPU, one thread, feature sizes 12 to 48, windows of
# 64 to 128 cubed, 2 to 14 classes (which made no difference); measured / fitted was 0.97 to 1.05. Not measured on a
# GPU.
_BYTES_PER_VOXEL_AND_FEATURE = 29.2
_BYTES_PER_VOXEL = 33.7
_BYTES_ONCE = 36 << 20

_DEFAULT_FEATURE_SIZE = 24
_FLOAT32 = 4
_WORTH_NAMING = 0.02
_BYTES_PER_VOXEL_WHILE_PREPARED = 24
"""At the height of resampling and normalising a region; measured by Testing/Benchmarks/segment_memory.py."""
_SAME_SPACING = 0.01
PREPARED_AHEAD_FROM_BYTES = 128 << 20
"""An image larger than this, as float32, is prepared a few planes ahead of the windows instead of all at once."""
_BYTES_PER_VOXEL_AHEAD = 16
"""Beside what is kept, at the height of preparing a few planes; measured by Testing/Benchmarks/giant_volume.py."""


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes that a run adds to what is in memory already (the scan, the network's weights).

    Args:
        preparation: What resampling and normalising the image take at their height; free again before the first window.
        image: The region in model space, float32.
        labels: Label map, uint8.
        confidence: Confidence, float16; 0 where it is not kept.
        planes: Ring of planes in which logits are summed, float32.
        network: Activations of the network for one batch.
        windows: Number of windows.
        free: Main memory that is free.
        gpu_free: Memory of the GPU that is free; None where the run is on the CPU.
    """

    preparation: int
    image: int
    labels: int
    confidence: int
    planes: int
    network: int
    windows: int
    free: int
    gpu_free: int | None = None

    @property
    def on_gpu(self) -> int:
        """Bytes that the GPU is asked for."""
        return 0 if self.gpu_free is None else self.planes + self.network

    @property
    def gpu_suffices(self) -> bool:
        """Whether the GPU's share fits; where it does not, the engine's fallbacks are expected."""
        return self.gpu_free is None or self.on_gpu <= self.gpu_free

    @property
    def total(self) -> int:
        """Bytes of main memory at the height; includes the GPU's share where the GPU does not suffice."""
        elsewhere = self.gpu_free is not None and self.gpu_suffices
        running = self.image + (0 if elsewhere else self.planes + self.network)
        return self.labels + self.confidence + max(self.preparation, running)

    @property
    def fits(self) -> bool:
        """Whether the main memory suffices."""
        return self.total <= self.free

    def sentence(self) -> str:
        """The plan for a person to read."""
        parts = [
            (max(self.preparation, self.image), "image"),
            (self.planes, "planes of logits"),
            (self.network, "network"),
            (self.labels + self.confidence, "labels and confidence" if self.confidence else "labels"),
        ]
        listed = ", ".join(f"{what} {_readable(size)}" for size, what in parts if size > self.total * _WORTH_NAMING)
        where = "free memory"
        if self.gpu_free is not None and self.gpu_suffices:
            where = f"free memory and {_readable(self.on_gpu)} of {_readable(self.gpu_free)} free on the GPU"
        windows = "1 window" if self.windows == 1 else f"{self.windows} windows"
        total = f"{_readable(self.total)} of {_readable(self.free)} {where}"
        return f"Needs about {total}: {listed}, not all at once; {windows}."

    def refuse_or_tell(self) -> tuple[str, ...]:
        """The sentences worth showing before the run.

        Raises:
            DeviceError: if the main memory cannot suffice; says what would help.
        """
        if not self.fits:
            raise DeviceError(f"The memory does not suffice. {self.sentence()}", advice=self._advice())
        if not self.gpu_suffices:
            return (
                self.sentence(),
                f"The GPU has {_readable(self.gpu_free)} free and {_readable(self.on_gpu)} are wanted: "
                "parts of the work may fall back to the computer's memory.",
            )
        return (self.sentence(),)

    def _advice(self) -> str:
        if self.confidence and replace(self, confidence=0).fits:
            return "Run without the confidence, or choose a smaller region of interest."
        missing = _readable(self.total - self.free)
        return f"Choose a smaller region of interest, or close other programs until {missing} more are free."


def plan_memory(
    regions: Iterable[LocalisedRegion],
    card: ModelCard,
    *,
    settings: RunSettings,
    engine: Engine,
    scans: Sequence[Grid] = (),
    labels: int | None = None,
    on_disk: bool = False,
) -> MemoryPlan:
    """The plan of a run over ``regions``, one after the other: the most demanding one's, with all windows counted.

    Args:
        regions: The places in model space.
        card: The model's card.
        settings: The run's settings.
        engine: The network.
        scans: The grids that the regions are resampled from, one after the other; with none, a region is a scan of its
            own.
        labels: Bytes that the labels on the scan's grid take; None for as many as the region has voxels.
        on_disk: Whether the voxels of a scan are read from its file when they are needed.
    """
    plans = [_plan_region(region.grid, card, settings, engine, scans, labels, on_disk) for region in regions]
    return replace(max(plans, key=lambda plan: plan.total), windows=sum(plan.windows for plan in plans))


def is_prepared_ahead(region: Grid, *, channels: int, on_disk: bool) -> bool:
    """Whether a region is prepared a few planes ahead of the windows, and never held as a whole."""
    return on_disk or region.voxel_count * channels * _FLOAT32 > PREPARED_AHEAD_FROM_BYTES


def _plan_region(
    region: Grid,
    card: ModelCard,
    settings: RunSettings,
    engine: Engine,
    scans: Sequence[Grid],
    labels: int | None,
    on_disk: bool,
) -> MemoryPlan:
    channels = len(card.inputs)
    plan = plan_array(
        region.shape,
        window=card.window,
        overlap=settings.overlap_or(card.overlap),
        channels=channels,
        classes=card.class_count,
        activations=activation_bytes(card.network_arguments, card.window, classes=card.class_count),
        settings=settings,
        preparation=_bytes_to_prepare(region, scans, channels=channels),
        device=engine.logits_device,
    )
    # While the network computes the logits of some windows, those before are being added to the planes.
    on_the_way = card.class_count * math.prod(card.window) * _FLOAT32 * min(settings.batch_or(1), plan.windows)
    plan = replace(plan, network=plan.network + on_the_way)
    if labels is not None:
        # Where a rule for components has the last word, all of the region's labels are kept until then.
        kept = region.shape[0] if card.components != "all" else min(region.shape[0], card.window[0])
        plan = replace(plan, labels=labels + kept * region.shape[1] * region.shape[2])
    if not is_prepared_ahead(region, channels=channels, on_disk=on_disk):
        return plan
    at_once = planes_at_once(region.shape)
    plane = region.shape[1] * region.shape[2]
    kept = min(region.shape[0], card.window[0] + at_once) * channels * plane * _FLOAT32
    voxels = max(_voxels_prepared(region, scan) for scan in scans or (region,)) * at_once // region.shape[0]
    return replace(plan, preparation=0, image=kept + voxels * _BYTES_PER_VOXEL_AHEAD)


def _bytes_to_prepare(region: Grid, scans: Sequence[Grid], *, channels: int) -> int:
    """Bytes at the height: the channels made so far, and the most demanding scan while it is prepared."""
    largest = max(_voxels_prepared(region, scan) for scan in scans or (region,))
    return largest * _BYTES_PER_VOXEL_WHILE_PREPARED + (channels - 1) * region.voxel_count * _FLOAT32


def _voxels_prepared(region: Grid, scan: Grid) -> int:
    """Voxels of the larger of the two grids; the region's alone where its spacing is the scan's and it is only cut."""
    if np.allclose(sorted(region.spacing), sorted(scan.spacing), rtol=_SAME_SPACING):
        return region.voxel_count
    # Of a scan only what lies in the region is read.
    read = Box.covering(scan.kji_of(region.corners_lps())).clip(scan.shape)
    return max(region.voxel_count, math.prod(read.shape))


def plan_array(
    shape: Sequence[int],
    *,
    window: Sequence[int],
    overlap: float,
    channels: int,
    classes: int,
    activations: int,
    settings: RunSettings,
    preparation: int = 0,
    device: str = "cpu",
) -> MemoryPlan:
    """The plan for one array.

    Args:
        shape: The array's extent (k, j, i).
        window: The window's extent (k, j, i).
        overlap: Overlap of neighbouring windows, 0 <= overlap < 1.
        channels: Channels of the image.
        classes: Channels of the logits.
        activations: Bytes that the network needs for one window.
        settings: The run's settings: batch and confidence.
        preparation: Bytes that making the image takes at its height.
        device: Torch device of network and planes.
    """
    voxels = shape[0] * shape[1] * shape[2]
    keep = settings.confidence is ConfidenceChoice.PER_VOXEL
    weigh = settings.confidence is not ConfidenceChoice.NONE
    starts = window_starts(shape, window, overlap=overlap)
    return MemoryPlan(
        preparation=preparation,
        image=channels * voxels * _FLOAT32,
        labels=voxels,
        confidence=2 * voxels if keep else 0,
        planes=min(shape[0], window[0]) * (classes + weigh) * shape[1] * shape[2] * _FLOAT32,
        network=activations * min(settings.batch_or(1), len(starts)),
        windows=len(starts),
        free=free_memory(),
        gpu_free=None if device == "cpu" else free_gpu_memory(device),
    )


def activation_bytes(network_arguments: Mapping[str, Any], window: Sequence[int], *, classes: int) -> int:
    """Bytes that a Swin-UNETR adds to the process at the height of one window's forward pass, about."""
    voxels = window[0] * window[1] * window[2]
    inside = (
        _BYTES_PER_VOXEL_AND_FEATURE * network_arguments.get("feature_size", _DEFAULT_FEATURE_SIZE) + _BYTES_PER_VOXEL
    )
    # Only with many dozens of classes do the logits and one copy of them outweigh the features.
    logits = 2 * classes * _FLOAT32
    return int(voxels * max(inside, logits)) + _BYTES_ONCE


def _readable(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
