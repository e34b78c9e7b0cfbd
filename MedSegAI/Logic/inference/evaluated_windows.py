"""Windows cut out of an image and evaluated by a network, in groups of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.window_source import WindowSource
from MedSegAI.Logic.inference.windows import Start, overlap_of_window
from MedSegAI.Logic.reporter import Reporter

Group = list[tuple[Start, np.ndarray | None]]
"""Windows, each with where it starts and what was cut out (channels, *window) float32; None where it is skipped."""
_Result = TypeVar("_Result")


def with_fallbacks(
    action: Callable[[], _Result],
    engine: Engine,
    reporter: Reporter,
    before_trying_again: Callable[[], None] = lambda: None,
) -> _Result:
    """Run ``action``; at each genuine lack of device memory, let the engine step down and try again.

    Args:
        action: What needs the memory.
        engine: The engine that has something to give up.
        reporter: Told what was given up.
        before_trying_again: Is called after each step down.

    Raises:
        DeviceError: when there is nothing left to give up.
    """
    while True:
        try:
            return action()
        except torch.OutOfMemoryError:
            pass
        # Outside the handler, so that the failed attempt's tensors, held by the traceback, are free by now.
        reporter.message(engine.step_down())
        before_trying_again()


@dataclass(eq=False)
class EvaluatedWindows:
    """Cuts windows and evaluates them.

    Args:
        image: What they are cut out of.
        engine: The network.
        after_fallback: Is called after the engine stepped down.
        window: Extent (k, j, i) of a window.
        classes: Number of the network's output channels.
        reporter: Told of fallbacks.
        fill: As ``segment_array`` has it, and so the others.
        skip_below: Which windows are not evaluated.
        normalise: What is done to each window.
        windows_run: How many were evaluated so far.
    """

    image: WindowSource
    engine: Engine
    after_fallback: Callable[[], None]
    window: tuple[int, ...]
    classes: int
    reporter: Reporter
    fill: float
    skip_below: float | None
    normalise: Callable[[np.ndarray], np.ndarray] | None
    windows_run: int = 0
    _stacked: dict[Start, np.ndarray] = field(default_factory=dict, init=False)

    def groups(self, starts: list[Start], batch: int) -> Iterator[Group]:
        """Windows in order, cut out (None where skipped), with ``batch`` windows to evaluate in each group."""
        group: Group = []
        waiting = 0
        for start in starts:
            cut = self._cut(start)
            group.append((start, cut))
            waiting += cut is not None
            # A lone skipped window need not wait for the batch to fill; progress and cancel then stay fluent.
            if waiting in (0, batch):
                yield self._stack(group)
                group, waiting = [], 0
        if group:
            yield self._stack(group)

    def _stack(self, group: Group) -> Group:
        """Put a group's windows into one array; an engine may upload it while it computes those before."""
        cuts = [cut for _, cut in group if cut is not None]
        if cuts:
            batch = self._stacked[group[0][0]] = np.stack(cuts)
            upload_ahead = getattr(self.engine, "upload_ahead", None)
            if upload_ahead is not None:
                upload_ahead(batch)
        return group

    def evaluate(self, group: Group) -> list[tuple[Start, Tensor | None]]:
        """The logits (classes, *window) of each window of a group, None where it was skipped."""
        cuts = [cut for _, cut in group if cut is not None]
        if not cuts:
            return [(start, None) for start, _ in group]
        batch = self._stacked.pop(group[0][0])
        predicted = with_fallbacks(lambda: self.engine.predict(batch), self.engine, self.reporter, self.after_fallback)
        logits = torch.as_tensor(predicted)
        self._check(logits, batch, [start for start, cut in group if cut is not None])
        self.windows_run += len(cuts)
        results = iter(logits)
        return [(start, None if cut is None else next(results)) for start, cut in group]

    def _cut(self, start: Start) -> np.ndarray | None:
        cut = self.image.cut(start, self.window, fill=self.fill)
        if self.skip_below is not None:
            inside = overlap_of_window(start, self.window, self.image.shape[1:])[1]
            if cut[(slice(None), *inside)].max() <= self.skip_below:
                return None
        return cut if self.normalise is None else np.asarray(self.normalise(cut), dtype=np.float32)

    def _check(self, logits: Tensor, batch: np.ndarray, starts: list[Start]) -> None:
        expected = (len(starts), self.classes, *self.window)
        if tuple(logits.shape) != expected:
            raise ModelError(
                f"The network gave logits of shape {tuple(logits.shape)}; its card promises {expected}.",
                advice="The model's card and weights do not belong together: install the model again.",
            )
        # A sum is NaN or infinite as soon as one term is, and needs no mask of the logits' size.
        if torch.isfinite(logits.sum()):
            return
        for start, cut, result in zip(starts, batch, logits):
            if not np.isfinite(cut).all():
                raise InputError(
                    f"The image holds NaN or infinite values near voxel (k, j, i) = {start}.",
                    advice="Replace them in the image, for instance by its background value.",
                )
            if not torch.isfinite(result).all():
                raise ModelError(
                    f"The network gave NaN or infinite logits in the window at voxel (k, j, i) = {start}.",
                    advice="Check the image's intensities and the model's file (medsegai models verify).",
                )
