"""Windows on their way to the GPU while it computes those before them. Not measured on a GPU."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class _OnTheWay:
    windows: np.ndarray
    tensor: Tensor
    arrived: Any


class UploadAhead:
    """Copies windows to a GPU from memory that the operating system may not move, on a stream of their own.

    Args:
        device: Torch device, such as "cuda:0".
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        # The next windows are told before those on their way are asked for.
        self._coming: deque[_OnTheWay] = deque(maxlen=2)

    def begin(self, windows: np.ndarray) -> None:
        """Start to copy what :meth:`take` will be asked for next, or after next; does nothing where memory is short."""
        try:
            with torch.cuda.stream(self._stream):
                tensor = _pinned(windows).to(self._device, non_blocking=True)
                arrived = self._stream.record_event()
        except torch.OutOfMemoryError:
            self._coming.clear()
        else:
            self._coming.append(_OnTheWay(windows, tensor, arrived))

    def take(self, windows: np.ndarray) -> Tensor:
        """The windows on the GPU: those on their way if it is the same array, else copied now."""
        here = torch.cuda.current_stream(self._device)
        coming = next((one for one in self._coming if one.windows is windows), None)
        if coming is None:
            return _pinned(windows).to(self._device, non_blocking=True)
        while self._coming.popleft() is not coming:
            # What was passed over will not be asked for any more.
            pass
        here.wait_event(coming.arrived)
        # Else its memory could be used again, on the stream that it was made on, while this one still reads it.
        coming.tensor.record_stream(here)
        return coming.tensor


def _pinned(windows: np.ndarray) -> Tensor:
    """A copy in pinned memory, which torch keeps until the copy from there has ended."""
    return torch.empty(windows.shape, dtype=torch.float32, pin_memory=True).copy_(torch.from_numpy(windows))
