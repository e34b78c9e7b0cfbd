"""Logits of windows that were evaluated before: a second run evaluates only what it has not seen.

A window is known by what the network was shown, to the bit, so what comes from the cache is what the network would say
again, and nothing has to be known of where the window lies, or of what was done to the scan. Logits are kept as they
are, float32: rounded to float16 they would take half the memory and change labels where two of them are nearly equal.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.free_memory import free_memory

if TYPE_CHECKING:
    from torch import Tensor

SHARE_OF_FREE_MEMORY = 1 / 8
"""Most that is kept, of the memory that would be free without it."""


@dataclass(eq=False)
class _Kept:
    logits: Tensor
    run: int


class WindowCache:
    """Logits by window, the least recently used given up first.

    What a run has put in is never given up for more of the same run: of a scan too large to be kept, a part is.

    Args:
        most_bytes: Most that is kept; None takes a share of the memory that is free at the time.
    """

    def __init__(self, *, most_bytes: int | None = None) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._run = 0
        self.nbytes = 0

    def begin_run(self) -> None:
        """From here on, what was put in before is old."""
        self._run += 1

    def get(self, key: bytes) -> Tensor | None:
        """The logits (classes, *window) float32 under this key, None where there are none."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        kept.run = self._run
        self._kept.move_to_end(key)
        return kept.logits

    def put(self, key: bytes, logits: Tensor) -> None:
        """Keep logits, which must not change any more, as far as there is room."""
        most = self._most()
        while self._kept and self.nbytes + logits.nbytes > most:
            if next(iter(self._kept.values())).run == self._run:
                return
            self.nbytes -= self._kept.popitem(last=False)[1].logits.nbytes
        if key not in self._kept and logits.nbytes <= most:
            self._kept[key] = _Kept(logits, self._run)
            self.nbytes += logits.nbytes

    def clear(self) -> bool:
        """Free the memory; whether there was any."""
        had_some = bool(self._kept)
        self._kept.clear()
        self.nbytes = 0
        return had_some

    def _most(self) -> int:
        if self._most_bytes is not None:
            return self._most_bytes
        return int(SHARE_OF_FREE_MEMORY * (free_memory() + self.nbytes))


class CachingEngine:
    """An engine that evaluates only windows which it was not shown before; see :class:`Engine`.

    On a GPU nothing is kept: there, copying logits takes about as long as computing them.

    Args:
        engine: Evaluates what is not known.
        cache: What is known; of any number of networks and engines.
        network: What tells the network from all others, such as the weights' SHA-256.
    """

    def __init__(self, engine: Engine, cache: WindowCache, *, network: str) -> None:
        self._engine, self._cache, self._network = engine, cache, network
        self.windows_evaluated = 0
        cache.begin_run()

    @property
    def name(self) -> str:
        """The engine's name."""
        return self._engine.name

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """The engine's steps down."""
        return self._engine.fallbacks

    @property
    def device_name(self) -> str:
        """The engine's device."""
        return self._engine.device_name

    @property
    def logits_device(self) -> str:
        """Where the engine leaves the logits."""
        return self._engine.logits_device

    def step_down(self) -> str:
        """As :meth:`Engine.step_down`."""
        return self._engine.step_down()

    def predict(self, windows: np.ndarray) -> Tensor | np.ndarray:
        """As :meth:`Engine.predict`."""
        if self._engine.logits_device != "cpu":
            self.windows_evaluated += len(windows)
            return self._engine.predict(windows)
        import torch

        keys = [self._key(window) for window in windows]
        known = [self._cache.get(key) for key in keys]
        missing = [index for index, logits in enumerate(known) if logits is None]
        if missing:
            predicted = torch.as_tensor(self._engine.predict(windows[missing]))
            self.windows_evaluated += len(missing)
            for index, logits in zip(missing, predicted):
                # An engine may use the same memory for its next answer.
                known[index] = logits.clone()
                self._cache.put(keys[index], known[index])
        return known[0][None] if len(known) == 1 else torch.stack(known)

    def _key(self, window: np.ndarray) -> bytes:
        digest = hashlib.sha256(f"{self._network}|{self.name}|{self.device_name}|{window.shape}|".encode())
        digest.update(np.ascontiguousarray(window).view(np.uint8).data)
        return digest.digest()
