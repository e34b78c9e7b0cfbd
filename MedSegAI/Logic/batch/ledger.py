"""The ledger of a batch: every case that ended, one line each, only ever added to.

A case counts once its line is on the disk. A line that a crash cut off is skipped, and what follows begins a line of
its own. The last line of a case counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedSegAI.Logic.batch.case_record import CaseRecord
from MedSegAI.Logic.files.atomic import storage_error

LEDGER_NAME = "ledger.jsonl"
# Windows would otherwise turn line breaks into two characters.
_BINARY = getattr(os, "O_BINARY", 0)


class Ledger:
    """The ledger in a batch's folder; made with the first line.

    Args:
        folder: The batch's folder; it must exist.

    Raises:
        StorageError: if there is a ledger that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LEDGER_NAME
        self.records: dict[str, CaseRecord] = {}
        self.settings: dict[str, Mapping[str, Any]] = {}
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise storage_error(self.path, error) from error
        self._lacks_line_break = bool(content) and not content.endswith(b"\n")
        for line in content.splitlines():
            self._take(line)

    def add_settings(self, digest: str, decides: Mapping[str, Any]) -> None:
        """Write down what a digest of settings stands for; once is enough.

        Raises:
            StorageError: if the disk is full or cannot be written to.
        """
        if digest not in self.settings:
            self._append({"settings": digest, "decides": dict(decides)})
            self.settings[digest] = dict(decides)

    def add(self, record: CaseRecord) -> None:
        """Write down what became of a case.

        Raises:
            StorageError: if the disk is full or cannot be written to; no part of a line stays.
        """
        self._append({"case": record.to_plain()})
        self.records[record.case] = record

    def _take(self, line: bytes) -> None:
        try:
            plain = json.loads(line)
            if "case" in plain:
                record = CaseRecord.from_plain(plain["case"])
                self.records[record.case] = record
            else:
                self.settings[plain["settings"]] = plain["decides"]
        except (ValueError, KeyError, TypeError):
            # Cut off by a crash, or of another version: the case is then done again.
            return

    def _append(self, plain: Mapping[str, Any]) -> None:
        line = (json.dumps(plain, ensure_ascii=False) + "\n").encode("utf-8", errors="backslashreplace")
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _BINARY, 0o666)
            try:
                self._write(handle, b"\n" + line if self._lacks_line_break else line)
            finally:
                os.close(handle)
        except OSError as error:
            raise storage_error(self.path, error) from error
        self._lacks_line_break = False

    def _write(self, handle: int, line: bytes) -> None:
        before = os.fstat(handle).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, before)
            raise
