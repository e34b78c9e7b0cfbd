"""The next batches made on a thread of their own while the present one is learned from."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_Made = TypeVar("_Made")


@contextmanager
def read_ahead(make: Callable[[int], _Made], *, start: int, ahead: int = 2) -> Iterator[Iterator[_Made]]:
    """Yield an endless iterator over ``make(start)``, ``make(start + 1)``...

    Args:
        make: Called on one other thread, in order; what it raises comes out where its result would have.
        start: The first number.
        ahead: How many results at most are made before they are asked for.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
        waiting = deque(pool.submit(make, start + number) for number in range(ahead))

        def results() -> Iterator[_Made]:
            following = start + ahead
            while True:
                yield waiting.popleft().result()
                waiting.append(pool.submit(make, following))
                following += 1

        try:
            yield results()
        finally:
            # What is being read is waited for; what has not begun is dropped.
            pool.shutdown(wait=True, cancel_futures=True)
