"""How long a user waits inside the app: for the first part, for a moved region, for the same scan again.

    python -m Testing.Benchmarks.latency [--shape 512 512 300] [--only-regions | --only-last-steps] [-o figures.json]

A synthetic CT and a whole-volume model of random weights, driven as the faces do it: a session over a real scene, a
worker process that was warmed up, a poll every 10 ms. Every first run is made by a worker that has never seen the scan.
Seconds are wall time, so only their ratios on one computer mean something.

- handed over: until the worker has the scan. - first part: until the first labels are in the scene. - to the result.
- longest poll: the longest time a face's main thread or event loop stood still until then; surfaces, which come after
it, have steps of their own.

The last steps, from a finished result to its surfaces, are timed apart: CPU of this thread, for no worker is at work.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

import MedSegAI.Logic.models.registry as registry
from MedSegAI.Bridge.region_nodes import new_roi
from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import build_network, save_model
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.volume import Modality, Unit, Volume
from MedSegAI.Logic.worker.runner import InlineRunner, SubprocessRunner
from MedSegAI.Logic.worker.running_job import InlineJob
from MedSegAI.Logic.worker.tasks.segment import SegmentTask
from MedSegAI.Session.case_results import growing_on
from MedSegAI.Session.run import Outcome
from MedSegAI.Session.session import Session

POLL_SECONDS = 0.01
WINDOW = (64, 64, 64)
ROI_MM, MOVED_MM = 180.0, 40.0
SHARE_FOUND = 0.02
REPEATS = 5


def a_ct(shape: tuple[int, int, int]) -> Volume:
    """Noise of several sizes in HU, 0.8 x 0.8 x 1 mm."""
    size = shape[::-1]
    coarse = np.random.default_rng(0).normal(0, 150, [-(-length // 16) for length in size])
    array = np.kron(coarse, np.ones((16, 16, 16)))[tuple(map(slice, size))].astype(np.int16)
    array += np.random.default_rng(1).integers(-20, 20, size, dtype=np.int16)
    return Volume(array, Grid(size, (0.8, 0.8, 1.0)), Modality.CT, Unit.HOUNSFIELD, "synthetic CT")


def a_model(folder: Path, scan: Volume) -> Model:
    """A whole-volume CT model of the shipped model's size, 64 cubed at 1.5 mm, of random weights that find little."""
    template = Path(registry.__file__).parents[2] / "Resources" / "Training" / "hippocampus-mr.card.json"
    card = ModelCard.from_json(template.read_text(encoding="utf-8"))
    rule = Normalisation("range", clip_values=(-1000.0, 1000.0))
    wanted = dataclasses.replace(
        card.inputs[0], name="CT", modality=Modality.CT, unit=Unit.HOUNSFIELD, normalisation=rule
    )
    changes = {"inputs": (wanted,), "localiser": None, "window": WINDOW, "components": "all", "point_box_mm": None}
    card = dataclasses.replace(card, name="latency-ct", spacing_mm=(1.5, 1.5, 1.5), **changes)
    torch.manual_seed(3)
    network = build_network(card.network, card.network_arguments).eval()
    window = torch.as_tensor(scan.array[:64, :64, :64].astype(np.float32)[None, None] / 2000 + 0.5)
    with torch.inference_mode():
        logits = network(window)[0]
    ahead = (logits[1:].amax(0) - logits[0]).quantile(1 - SHARE_FOUND)
    state = network.state_dict()
    state[next(name for name in reversed(state) if name.endswith("bias"))][0] += ahead
    return save_model(folder / card.name, card, state=state)


def click_to_segment(session: Session) -> dict[str, float]:
    """Seconds from the click to each thing a user waits for, and the longest step between."""
    before = session.segmentation
    clicked = time.perf_counter()
    session.start_segment()
    longest, first = time.perf_counter() - clicked, None
    handed = shown = None
    ended = False
    while not ended:
        started = time.perf_counter()
        ended = session.poll()
        now = time.perf_counter()
        longest = max(longest, now - started)
        if shown is None and session.segmentation is not before:
            shown, longest_to_result = now - clicked, longest
        if handed is None and session.run.messages:
            handed = now - clicked
        if first is None and growing_on(session.scene, session.scan) is not None:
            first = now - clicked
        time.sleep(POLL_SECONDS)
    if session.run.outcome is not Outcome.DONE:
        raise SystemExit(f"The run ended as {session.run.outcome.value}: {session.run.error}")
    return {
        "handed over": round(handed or shown, 2),
        "first part": round(first or shown, 2),
        "to the result": round(shown, 2),
        "longest poll ms": round(1000 * longest_to_result, 1),
        "parts": session.run.parts,
    }


def place_roi(session: Session, *, moved_mm: float) -> None:
    """The region of interest, in the middle of the scan or moved from there to the right."""
    node = session.roi or new_roi(session.scan, name="Region")
    if session.roi is None:
        session.use_roi(node)
        bounds = [0.0] * 6
        session.scan.GetRASBounds(bounds)
        node.SetCenter(*[(low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2])])
        node.SetSize(ROI_MM, ROI_MM, ROI_MM)
    centre = list(node.GetCenter())
    node.SetCenter(centre[0] + moved_mm, *centre[1:])
    session.choose(region="roi")


@contextmanager
def warm_session(scan: Volume, model: Model) -> Iterator[Session]:
    """A case whose worker has loaded the model, and knows nothing of the scan."""
    with SubprocessRunner() as runner:
        session = Session(new_scene(), runner)
        session.choose(model=str(model.folder), device="cpu")
        session.add_scan(scan)
        session.warm_up()
        # Its answer comes after that of the warming up.
        session.start_examine()
        while not session.poll(timeout=0.1):
            pass
        yield session
        session.close()


def region_figures(scan: Volume, model: Model) -> dict[str, dict[str, float]]:
    figures = {}
    with warm_session(scan, model) as session:
        place_roi(session, moved_mm=MOVED_MM)
        figures["moved region, had it been the first"] = click_to_segment(session)
    with warm_session(scan, model) as session:
        place_roi(session, moved_mm=0.0)
        figures["region"] = click_to_segment(session)
        figures["same region again"] = click_to_segment(session)
        place_roi(session, moved_mm=MOVED_MM)
        figures["moved region"] = click_to_segment(session)
    return figures


def whole_figures(scan: Volume, model: Model) -> dict[str, dict[str, float]]:
    with warm_session(scan, model) as session:
        session.choose(region="whole")
        return {name: click_to_segment(session) for name in ("whole scan", "whole scan again")}


class ReadyRunner(InlineRunner):
    """Shows the whole of a result in one part, and gives it; a worker would have computed it before.

    Args:
        result: The result.
    """

    def __init__(self, result: SegmentationResult) -> None:
        super().__init__()
        self._result = result

    def start(self, task: SegmentTask, _reporter: object) -> InlineJob[SegmentationResult]:
        """A job whose result is there already."""

        def give() -> SegmentationResult:
            task.show(self._result.changed, self._result.labels.array[self._result.changed.slices])
            return self._result

        return InlineJob(give)


def a_result(scan: Volume, model: Model) -> SegmentationResult:
    """Cubes of 16 voxels all over the scan, of the model's labels."""
    values = [label.value for label in model.card.labels]
    cubes = np.random.default_rng(2).random([-(-length // 16) for length in scan.grid.shape]) < SHARE_FOUND
    cubes = cubes * np.random.default_rng(3).choice(np.array(values, np.uint8), cubes.shape)
    labels = np.kron(cubes, np.ones((16, 16, 16), np.uint8))[tuple(map(slice, scan.grid.shape))].copy()
    made = Provenance(
        model.card.name, "1", "0" * 64, "torch", "cpu", scan.name, scan.grid.shape, scan.grid.spacing, (), {}, 1.0, ""
    )
    confidence = {label.key: 0.5 for label in model.card.labels}
    changed = Box.around(labels)
    return SegmentationResult(Volume(labels, scan.grid), model.card.labels, None, made, changed, confidence)


def last_steps_figures(scan: Volume, model: Model) -> dict[str, dict[str, float]]:
    """CPU of each poll from the finished result on: how many, the longest and all together; medians of some runs."""
    runs = []
    with ReadyRunner(a_result(scan, model)) as runner:
        for _ in range(REPEATS):
            session = Session(new_scene(), runner)
            session.choose(model=str(model.folder), device="cpu")
            session.add_scan(scan)
            session.start_segment()
            session.poll()
            to_result, after = [], []
            while session.run.is_under_way:
                (after if session.segmentation else to_result).append(cpu_of(session.poll))
            runs.append((to_result, after))
            session.close()
    figures = {}
    for name, polls in zip(("last steps, to the result", "last steps, surfaces"), zip(*runs)):
        figures[name] = {
            "polls": len(polls[0]),
            "longest poll CPU ms": round(statistics.median(map(max, polls)), 1),
            "together CPU ms": round(statistics.median(map(sum, polls)), 1),
        }
    return figures


def cpu_of(step: Callable[[], object]) -> float:
    """CPU milliseconds of this thread."""
    before = time.thread_time()
    step()
    return 1000 * (time.thread_time() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 300), metavar=("I", "J", "K"))
    parser.add_argument("--only-regions", action="store_true", help="leave out the whole scan, which takes minutes")
    parser.add_argument("--only-last-steps", action="store_true", help="of nothing but the finished result's way in")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    scan = a_ct(tuple(options.shape))
    with tempfile.TemporaryDirectory() as folder:
        model = a_model(Path(folder), scan)
        figures = last_steps_figures(scan, model)
        if not options.only_last_steps:
            figures |= region_figures(scan, model)
        if not (options.only_last_steps or options.only_regions):
            figures |= whole_figures(scan, model)
    print(json.dumps(figures, indent=2))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
