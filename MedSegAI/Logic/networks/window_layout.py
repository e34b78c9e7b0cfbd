"""How a grid of tokens divides into the windows of a Swin block, without padding, rolling or masks.

Swin pads the grid to a multiple of the window, rolls it by half a window and masks what must not see each other. The
same attention is had by cutting each axis into spans: a window that wraps around is two separate pieces, padded tokens
are all equal and count as one key, and windows of nothing but padding do not exist. At most three spans an axis remain.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Span:
    """Equal pieces side by side along one axis.

    ``count`` pieces of ``size`` tokens begin at ``start``; the first token of each stands at ``offset`` inside its
    window of ``window`` tokens, and ``padding`` padded tokens follow the last one there.
    """

    start: int
    size: int
    count: int
    offset: int
    padding: int
    window: int

    @property
    def stop(self) -> int:
        """First token after the last piece."""
        return self.start + self.size * self.count


@dataclass(frozen=True)
class WindowGroup:
    """All windows of one kind: the product of three spans (k, j, i)."""

    spans: tuple[Span, Span, Span]

    @property
    def windows(self) -> int:
        """How many windows the group has in one sample."""
        return self.spans[0].count * self.spans[1].count * self.spans[2].count

    @property
    def tokens(self) -> int:
        """How many real tokens each window has."""
        return self.spans[0].size * self.spans[1].size * self.spans[2].size

    @property
    def kind(self) -> tuple[tuple[int, int, int, int], ...]:
        """What the attention bias depends on; the position of the group does not matter."""
        return tuple((span.size, span.offset, span.padding, span.window) for span in self.spans)

    @property
    def padded(self) -> bool:
        """Whether the windows also hold padded tokens."""
        return any(span.padding for span in self.spans)

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Where the group lies in the grid (k, j, i)."""
        return tuple(slice(span.start, span.stop) for span in self.spans)


def axis_spans(length: int, window: int, shift: int) -> tuple[Span, ...]:
    """Spans of one axis of ``length`` tokens, for windows of ``window`` tokens shifted by ``shift``.

    An axis no longer than the window is one window, unshifted (Liu et al. 2021, *Swin Transformer*, section 3.2).
    """
    if length <= window:
        return (Span(0, length, 1, 0, 0, length),)
    spans = [Span(0, shift, 1, window - shift, 0, window)] if shift else []
    whole = (length - shift) // window
    if whole:
        spans.append(Span(shift, window, whole, 0, 0, window))
    start = shift + whole * window
    rest = length - start
    if rest:
        padded = -(-length // window) * window
        room = min(start + window, padded) - start
        spans.append(Span(start, rest, 1, 0, room - rest, window))
    return tuple(spans)


@lru_cache(maxsize=256)
def window_groups(
    shape: tuple[int, int, int], window: tuple[int, int, int], shift: tuple[int, int, int]
) -> tuple[WindowGroup, ...]:
    """Groups of equal windows that together cover a grid of ``shape`` (k, j, i) tokens exactly once."""
    axes = [axis_spans(length, size, moved) for length, size, moved in zip(shape, window, shift, strict=True)]
    return tuple(WindowGroup(spans) for spans in itertools.product(*axes))


def clip_window(shape: tuple[int, int, int], window: tuple[int, int, int]) -> tuple[int, int, int]:
    """The window as it is used on a grid of ``shape``: no axis is longer than the grid's."""
    return tuple(min(length, size) for length, size in zip(shape, window, strict=True))
