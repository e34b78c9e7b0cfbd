"""The folder in which engines are kept once they are built: made when it is needed, safe to delete at any time."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import shutil
from pathlib import Path

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.atomic import make_folder, remove_left_over_rooms, write_beside
from MedSegAI.Logic.models.registry import Model

_DIGEST_BYTES = hashlib.sha256().digest_size
_SHOWN_DIGITS = 20
_A_DAY = 24 * 60 * 60
_LOGIC = Path(__file__).resolve().parents[2]


def engine_cache_folder() -> Path:
    """Where engines are kept: ``engines`` in the folder that MEDSEGAI_CACHE names (default ``~/.cache/medsegai``)."""
    named = os.environ.get("MEDSEGAI_CACHE")
    return (Path(named).expanduser() if named else Path.home() / ".cache" / "medsegai") / "engines"


def place_for(model: Model, engine: str, *, depends_on: tuple[object, ...], ending: str) -> Path:
    """Where something made for a model and an engine is kept.

    The name holds a digest of the model's weights, network and window, of the code that runs and converts networks,
    and of ``depends_on``, so that what was made from anything else is never found again.

    Args:
        model: The model.
        engine: The engine's choice, such as "openvino".
        depends_on: What else it was made from, such as versions and the processor.
        ending: Of the file's name, such as ".json".
    """
    card = model.card
    parts = (card.weights_sha256, card.network, sorted(card.network_arguments.items()), card.window, len(card.inputs))
    key = hashlib.sha256(repr((parts, code_digest(), depends_on)).encode()).hexdigest()[:_SHOWN_DIGITS]
    return engine_cache_folder() / f"{card.name}.{engine}.{key}{ending}"


def read_kept(place: Path) -> memoryview | None:
    """What :func:`keep` wrote; None where there is nothing, or it is damaged."""
    try:
        content = memoryview(place.read_bytes())
    except OSError:
        return None
    digest, kept = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return kept if hashlib.sha256(kept).digest() == bytes(digest) else None


def keep(place: Path, content: bytes | memoryview) -> bool:
    """Keep ``content`` for :func:`read_kept`; whether that succeeded.

    A disk that is full or may not be written to is no reason not to compute: it is then built again the next time.
    What a killed program had half written here goes, once it is a day old.
    """
    try:
        remove_left_over_rooms(make_folder(place.parent), older_than_seconds=_A_DAY)
        with write_beside(place) as temporary, temporary.open("wb") as stream:
            stream.write(hashlib.sha256(content).digest())
            stream.write(content)
    except StorageError:
        return False
    return True


def drop_older_than(place: Path) -> None:
    """Delete what was kept with the same ending for the same model and engine, when it was made from something else."""
    model, engine, _key = place.stem.rsplit(".", 2)
    # A folder that may not be changed keeps what it has.
    with contextlib.suppress(OSError):
        for older in place.parent.glob(f"{model}.{engine}.*{place.suffix}"):
            if older != place:
                older.unlink(missing_ok=True)


def cache_bytes() -> int:
    """Bytes that are kept now, as far as they may be seen."""
    with contextlib.suppress(OSError):
        folder = engine_cache_folder()
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    return 0


def can_keep() -> bool:
    """Whether something could be kept now; nothing is written or made."""
    folder = engine_cache_folder()
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    return there.is_dir() and os.access(there, os.R_OK | os.W_OK | os.X_OK)


def clear_cache() -> None:
    """Delete all that is kept; every engine is built and checked anew when it is wanted next."""
    shutil.rmtree(engine_cache_folder(), ignore_errors=True)


@functools.cache
def code_digest() -> str:
    """Digest of the code that runs and converts networks: what another version of it made is not taken for its own."""
    digest = hashlib.sha256()
    for folder in ("networks", "inference/engines"):
        for path in sorted((_LOGIC / folder).glob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def processor_name() -> str:
    """The processor as its maker calls it, as far as the system says."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()
