"""The clock of the benchmarks that hold several ways of one computation against each other."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def interleaved_medians(work: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Median CPU seconds of each action; the actions take turns, so that a slow moment hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(runs):
        for name, action in work.items():
            start = time.process_time()
            action()
            seconds[name].append(time.process_time() - start)
    return {name: statistics.median(found) for name, found in seconds.items()}
