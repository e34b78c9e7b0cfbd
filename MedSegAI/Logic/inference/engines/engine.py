"""What the sliding window needs of whatever evaluates the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Engine(Protocol):
    """A network ready to run.

    An engine whose device may run out of memory raises ``torch.OutOfMemoryError`` from :meth:`predict`; the caller
    then calls :meth:`step_down` and tries again.
    """

    name: str
    """What provenance records, such as "torch eager"."""

    fallbacks: tuple[str, ...]
    """A sentence for each step down taken so far, in order."""

    @property
    def device_name(self) -> str:
        """The device as provenance records it, such as "cpu"."""

    @property
    def logits_device(self) -> str:
        """Torch device on which the logits are left and had better be summed, such as "cpu" or "cuda"."""

    def predict(self, windows: np.ndarray) -> Tensor | np.ndarray:
        """Logits (n, classes, k, j, i) float32 of ``windows`` (n, channels, k, j, i) float32."""

    def step_down(self) -> str:
        """Give up some speed for memory and return a sentence that says so.

        Raises:
            DeviceError: when there is nothing left to give up.
        """


class OpenEngine(Protocol):
    """Opens an engine once it is known how long a run is."""

    def __call__(self, *, windows: int) -> Engine:
        """The engine for a run of so many windows."""
