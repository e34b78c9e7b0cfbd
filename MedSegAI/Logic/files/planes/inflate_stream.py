"""Compressed bytes decoded from front to back, a piece at a time."""

from __future__ import annotations

import zlib
from pathlib import Path

_CHUNK = 1 << 18
_ZLIB_OR_GZIP = 47


class InflateStream:
    """The decoded bytes of a zlib or gzip stream that starts somewhere in a file.

    Args:
        path: The file.
        start: Where the compressed data begin, in bytes.
    """

    def __init__(self, path: Path, start: int) -> None:
        self._file = path.open("rb")
        self._file.seek(start)
        self._decoder = zlib.decompressobj(_ZLIB_OR_GZIP)
        self._waiting = b""
        self.position = 0
        """Decoded bytes that were read so far."""

    def read_into(self, buffer: memoryview) -> None:
        """Fill the buffer (bytes) with what comes next.

        Raises:
            EOFError: if the data end before it is full.
            zlib.error: if they do not decode, or their checksum is wrong.
        """
        filled = 0
        while filled < len(buffer):
            piece = self._next(len(buffer) - filled)
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
        self.position += filled

    def skip(self, count: int) -> None:
        """Decode and forget ``count`` bytes."""
        while count > 0:
            passed = len(self._next(min(count, _CHUNK)))
            self.position += passed
            count -= passed

    def finish(self) -> None:
        """Decode to the end of the stream, where its checksum stands."""
        while not self._decoder.eof:
            self._next(_CHUNK)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _next(self, most: int) -> bytes:
        """Between one and ``most`` decoded bytes; none only where the checksum was all that was left."""
        while True:
            if self._decoder.eof:
                # A gzip file may be several, one after another.
                self._waiting = self._decoder.unused_data
                self._decoder = zlib.decompressobj(_ZLIB_OR_GZIP)
            encoded = self._waiting or self._file.read(_CHUNK)
            if not encoded:
                raise EOFError
            decoded = self._decoder.decompress(encoded, most)
            self._waiting = self._decoder.unconsumed_tail
            if decoded or self._decoder.eof:
                return decoded
