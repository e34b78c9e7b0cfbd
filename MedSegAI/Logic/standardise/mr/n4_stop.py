"""End SimpleITK's N4 in the middle of its work: it takes no notice of ``Abort()``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class StopN4(Exception):
    """Raised in a command of the filter; its ``Execute`` then ends at once with a RuntimeError."""


@contextmanager
def stopped_quietly() -> Iterator[None]:
    """Let :class:`StopN4` and Ctrl-C pass through SimpleITK without a word.

    SimpleITK hands an exception of a command to ``sys.excepthook``, which would print it, before it gives up.

    Raises:
        KeyboardInterrupt: if one came while a command ran; SimpleITK would make a RuntimeError of it.
    """
    shown_by = sys.excepthook
    interrupted = False

    def hook(kind: type[BaseException], error: BaseException, trace: object) -> None:
        nonlocal interrupted
        interrupted = interrupted or issubclass(kind, KeyboardInterrupt)
        if not issubclass(kind, StopN4 | KeyboardInterrupt):
            shown_by(kind, error, trace)

    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = shown_by
        if isinstance(getattr(sys, "last_value", None), StopN4 | KeyboardInterrupt):
            # The interpreter keeps the last printed error, and with it the filter and its images.
            for name in ("last_type", "last_value", "last_traceback", "last_exc"):
                with suppress(AttributeError):
                    delattr(sys, name)
        if interrupted:
            raise KeyboardInterrupt
