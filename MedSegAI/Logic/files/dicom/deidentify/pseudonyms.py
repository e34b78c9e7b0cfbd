"""New UIDs, new names and shifted days, the same for the same original as long as the key is the same.

Each is a keyed hash (HMAC-SHA-256) of the original: without the key nobody can find the original by trying, and with it
the files of one patient, also of another day, still belong together.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import write_beside

_KEY_BYTES = 32
_MOST_DAYS = 3652
_STANDARD = "1.2.840.10008."
_FORMAT = "medsegai-deidentification-map"


@dataclass
class Pseudonyms:
    """The pseudonyms of one run, or of several with one key.

    Args:
        key: Secret of at least 16 bytes; a new one where nothing else was said.
        uids: New UIDs by original.
        patients: New names by original, which is the patient's ID and who gave it.
        days: By how many days each patient's dates are moved, by the same original.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(_KEY_BYTES), repr=False)
    uids: dict[str, str] = field(default_factory=dict, repr=False)
    patients: dict[str, str] = field(default_factory=dict, repr=False)
    days: dict[str, int] = field(default_factory=dict, repr=False)

    def uid(self, original: str) -> str:
        """A UID below 2.25 for an original one; those of the standard itself, and empty ones, stay as they are."""
        if not original or original.startswith(_STANDARD):
            return original
        if original not in self.uids:
            self.uids[original] = f"2.25.{int.from_bytes(self._hash('uid', original)[:16], 'big')}"
        return self.uids[original]

    def patient(self, original: str) -> str:
        """A name such as ``Anon-3F2A9C1B77D0``."""
        if original not in self.patients:
            self.patients[original] = f"Anon-{self._hash('patient', original)[:6].hex().upper()}"
        return self.patients[original]

    def days_of(self, original: str) -> int:
        """By how many days the patient's dates are moved: backwards, by 1 day to 10 years."""
        if original not in self.days:
            self.days[original] = -1 - int.from_bytes(self._hash("days", original)[:8], "big") % _MOST_DAYS
        return self.days[original]

    def _hash(self, what: str, original: str) -> bytes:
        return hmac.new(self.key, f"{what}\0{original}".encode(), hashlib.sha256).digest()


def read_pseudonyms(path: str | os.PathLike[str]) -> Pseudonyms:
    """The pseudonyms that :func:`write_pseudonyms` kept; new ones where there is no such file.

    Raises:
        InputError: if the file is something else.
    """
    source = Path(path).expanduser()
    if not source.exists():
        return Pseudonyms()
    try:
        plain = json.loads(source.read_text(encoding="utf-8"))
        if plain["format"] != _FORMAT:
            raise ValueError("another format")
        return Pseudonyms(
            bytes.fromhex(plain["key"]), dict(plain["uids"]), dict(plain["patients"]), dict(plain["days"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"'{source}' is no map of pseudonyms that can be read.",
            advice="Name the file of an earlier run, or a new one.",
        ) from error


def write_pseudonyms(path: str | os.PathLike[str], pseudonyms: Pseudonyms) -> None:
    """Keep key and map in a JSON file that only its owner may read: whoever has it can undo the de-identification.

    Raises:
        StorageError: if it cannot be written.
    """
    plain = {
        "format": _FORMAT,
        "warning": "Whoever has this file can undo the de-identification. Keep it apart from the files.",
        "key": pseudonyms.key.hex(),
        "patients": pseudonyms.patients,
        "days": pseudonyms.days,
        "uids": pseudonyms.uids,
    }
    with write_beside(path) as beside:
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
