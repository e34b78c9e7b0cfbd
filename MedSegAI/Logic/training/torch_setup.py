"""How torch computes while a run lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def set_up_torch(threads: int) -> Iterator[None]:
    """Give torch so many threads for a while; they round differently, so whoever computes next gets its own back."""
    before, deterministic = torch.get_num_threads(), torch.backends.cudnn.deterministic
    torch.set_num_threads(threads)
    # Denormal numbers, met where weights decay towards zero, are many times slower than zeros.
    torch.set_flush_denormal(True)
    torch.backends.cudnn.deterministic = True
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)
        torch.backends.cudnn.deterministic = deterministic
