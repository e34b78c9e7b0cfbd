"""Seconds and peak memory of a whole volume through the real Swin-UNETR: the streaming window and MONAI's.

    python Testing/Benchmarks/sliding_window.py            # 512 x 512 x 256, streaming only
    python Testing/Benchmarks/sliding_window.py --compare  # 144 x 144 x 192, streaming and MONAI's scheme
    python Testing/Benchmarks/sliding_window.py --quick    # 128 x 128 x 128, both ways, with windows of 64

Each run has a fresh process, so the peak is its own (``ru_maxrss``: torch, network, image and all). The network has
feature size 12, 8 classes and random weights; both schemes use the same network, so the ratio is that of the schemes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
FEATURE_SIZE = 12
CLASSES = 8


@dataclass(frozen=True)
class Case:
    """One run: the scheme ("streaming" or "monai"), the volume's extent (k, j, i), window side and overlap."""

    scheme: str
    shape: tuple[int, int, int]
    window: int
    overlap: float
    threads: int
    folder: str


class Ticker:
    """Shows done/total with the time left on standard error."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def progress(self, done: int, total: int, stage: str) -> None:
        left = (time.monotonic() - self.started) / done * (total - done)
        print(f"\r{stage} {done}/{total}, about {left:.0f} s left ", end="", file=sys.stderr, flush=True)

    def message(self, text: str) -> None:
        print(text, file=sys.stderr)

    def cancelled(self) -> bool:
        return False


def write_image(shape: tuple[int, int, int], path: Path) -> None:
    """A smooth int16 volume (k, j, i), written slice by slice so that this process stays small too."""
    rng = np.random.default_rng(0)
    image = np.lib.format.open_memmap(path, mode="w+", dtype=np.int16, shape=(1, *shape))
    coarse = rng.normal(size=tuple(n // 8 + 2 for n in shape)) * 300
    for k in range(shape[0]):
        fine = np.kron(coarse[k // 8], np.ones((8, 8)))[: shape[1], : shape[2]]
        image[0, k] = fine + rng.normal(size=shape[1:]) * 20


def network() -> object:
    import torch

    from MedSegAI.Logic.networks.swin_unetr import SwinUNETR

    torch.manual_seed(0)
    return SwinUNETR(1, CLASSES, feature_size=FEATURE_SIZE).eval()


def normalise(cut: np.ndarray) -> np.ndarray:
    return cut / 300


def run_streaming(case: Case) -> np.ndarray:
    from MedSegAI.Logic.inference.engines.eager import EagerEngine
    from MedSegAI.Logic.inference.plan import activation_bytes, plan_array
    from MedSegAI.Logic.inference.sliding_window import segment_array
    from MedSegAI.Logic.settings import RunSettings

    window = (case.window,) * 3
    activations = activation_bytes({"feature_size": FEATURE_SIZE}, window, classes=CLASSES)
    options = {"window": window, "overlap": case.overlap, "classes": CLASSES}
    plan = plan_array(case.shape, channels=1, activations=activations, settings=RunSettings(), **options)
    print(plan.sentence(), file=sys.stderr)
    image = np.load(Path(case.folder) / "image.npy", mmap_mode="r")
    return segment_array(image, EagerEngine(network()), reporter=Ticker(), normalise=normalise, **options).labels


def run_monai(case: Case) -> np.ndarray:
    import torch
    from monai.inferers import sliding_window_inference

    image = torch.from_numpy(normalise(np.load(Path(case.folder) / "image.npy").astype(np.float32)))[None]
    with torch.inference_mode():
        logits = sliding_window_inference(image, (case.window,) * 3, 1, network(), case.overlap, mode="gaussian")
        return logits.argmax(1)[0].to(torch.uint8).numpy()


def run_here(case: Case) -> dict[str, float]:
    """Run one case in this process; the labels go to the folder."""
    import torch

    torch.set_num_threads(case.threads)
    network()
    loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, processor = time.perf_counter(), time.process_time()
    labels = {"streaming": run_streaming, "monai": run_monai}[case.scheme](case)
    figures = {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - processor,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "loaded_mib": loaded / 1024,
    }
    np.save(Path(case.folder) / f"{case.scheme}.npy", labels)
    return figures


def run_apart(case: Case) -> dict[str, float]:
    """:func:`run_here` in a fresh process; prints a line."""
    command = [sys.executable, __file__, "--case", json.dumps(asdict(case))]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    figures = json.loads(done.stdout)
    print(
        f"\n{case.scheme}: {' x '.join(map(str, case.shape[::-1]))}, window {case.window}, overlap {case.overlap}, "
        f"{case.threads} thread(s): {figures['seconds']:.1f} s wall, {figures['cpu_seconds']:.1f} s CPU, "
        f"peak {figures['peak_mib']:.0f} MiB, of which {figures['loaded_mib']:.0f} MiB torch and network",
        flush=True,
    )
    return figures


def compare(shape: tuple[int, int, int], window: int, overlap: float, threads: int) -> None:
    """Both schemes on one volume, and how far their labels agree."""
    with tempfile.TemporaryDirectory() as folder:
        write_image(shape, Path(folder) / "image.npy")
        ours, theirs = (
            run_apart(Case(scheme, shape, window, overlap, threads, folder)) for scheme in ("streaming", "monai")
        )
        labels = [np.load(Path(folder) / f"{scheme}.npy") for scheme in ("streaming", "monai")]
        mine, monais = (figures["peak_mib"] - figures["loaded_mib"] for figures in (ours, theirs))
        print(
            f"streaming / MONAI: {ours['cpu_seconds'] / theirs['cpu_seconds']:.2f} of the CPU time, "
            f"{mine:.0f} of {monais:.0f} MiB beyond torch and network; "
            f"labels equal in {np.mean(labels[0] == labels[1]):.6%} of voxels"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small volume both ways")
    parser.add_argument("--compare", action="store_true", help="a middling volume both ways")
    parser.add_argument("--overlap", type=float, default=0.25)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        print(json.dumps(run_here(Case(**json.loads(given.case)))))
        return
    if given.quick:
        compare((128, 128, 128), 64, 0.5, given.threads)
        return
    if given.compare:
        # 192 = 96 + 2 * 48 and 144 = 96 + 48: MONAI's windows are then evenly spaced too
        compare((192, 144, 144), 96, 0.5, given.threads)
        return
    with tempfile.TemporaryDirectory() as folder:
        write_image((256, 512, 512), Path(folder) / "image.npy")
        run_apart(Case("streaming", (256, 512, 512), 96, given.overlap, given.threads, folder))


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    main()
