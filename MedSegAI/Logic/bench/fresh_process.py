"""One whole volume in a process of its own, so that the memory at its height is that run's alone.

The process is ``python -m MedSegAI.Logic.bench.fresh_process RUN``, with the run as JSON.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.bench.clock import MIB, OwnReading, Reading
from MedSegAI.Logic.errors import WorkerError

_OVERLAP = 0.25
_PACKAGE_FOLDER = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class FreshRun:
    """What the process is to do.

    Args:
        scheme: "ours" (the streaming window, in torch) or "monai" (``sliding_window_inference``, its own network).
        model: Folder of the model.
        image: File of the image, (1, k, j, i) int16 in hundredths.
        labels: File that the labels go to.
        threads: Threads of torch.
    """

    scheme: str
    model: str
    image: str
    labels: str
    threads: int


def run_apart(run: FreshRun) -> OwnReading:
    """Do it, and give the labels (k, j, i) uint8 and what it took.

    Raises:
        WorkerError: if the process did not end well.
    """
    command = [sys.executable, "-m", "MedSegAI.Logic.bench.fresh_process", json.dumps(asdict(run))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=_PACKAGE_FOLDER, start_new_session=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WorkerError(f"The process that measures memory ended with {done.returncode}: {last}.")
    return OwnReading(np.load(run.labels), Reading(**json.loads(done.stdout)))


def measure_here(run: FreshRun) -> Reading:
    """Do it in this process; the labels go to their file."""
    from MedSegAI.Logic.models.registry import read_model

    model = read_model(Path(run.model))
    import torch

    from MedSegAI.Logic.bench.contestants import MONAI, monai_networks
    from MedSegAI.Logic.bench.measure import Conditions
    from MedSegAI.Logic.bench.measures.whole_volume import by_monai, by_ours
    from MedSegAI.Logic.inference.engines.open import open_torch_engine
    from MedSegAI.Logic.reporter import SilentReporter
    from MedSegAI.Logic.settings import DeviceChoice

    torch.set_num_threads(run.threads)
    options = {"window": model.card.window, "overlap": _OVERLAP}
    mapped = np.load(run.image, mmap_mode="r")
    if run.scheme == "ours":
        engine = open_torch_engine(model, device=DeviceChoice.CPU, reporter=SilentReporter())
        classes = model.card.class_count

        def work() -> np.ndarray:
            return by_ours(mapped, engine, classes=classes, normalise=_hundredths, **options)
    else:
        network = monai_networks(model, Conditions())[MONAI]

        def work() -> np.ndarray:
            return by_monai(_hundredths(np.asarray(mapped, np.float32)), network, **options)

    memory = PeakMemory()
    wall, processor = time.perf_counter(), time.process_time()
    labels = work()
    reading = Reading(time.process_time() - processor, time.perf_counter() - wall, mebibytes=memory.grown() / MIB)
    np.save(run.labels, labels)
    return reading


class PeakMemory:
    """How much the resident memory of this process grows from now on, at its height."""

    def __init__(self) -> None:
        import psutil

        self._before = psutil.Process().memory_info().rss
        # On Linux the height so far can be forgotten; elsewhere a higher height of the loading hides a part.
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

    def grown(self) -> int:
        """Bytes; 0 where the memory was higher before."""
        return max(_height() - self._before, 0)


def _height() -> int:
    """Bytes of resident memory at the height."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    height = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return height if sys.platform == "darwin" else height * 1024


def _hundredths(voxels: np.ndarray) -> np.ndarray:
    return voxels / np.float32(100)


def main(arguments: list[str]) -> int:
    """The process."""
    reading = measure_here(FreshRun(**json.loads(arguments[0])))
    sys.stdout.write(json.dumps(asdict(reading)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
