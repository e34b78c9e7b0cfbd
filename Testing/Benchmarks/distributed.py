"""Does it matter how many processes train? The loss of every step, alone, divided, accumulated and after a kill.

    python -m Testing.Benchmarks.distributed             # 20 steps, 2 minutes on two idle cores
    python -m Testing.Benchmarks.distributed --steps 60

Real hippocampus crops, the shipped recipe in float32 without stochastic depth, and the same batch of four in all runs:

1. one process;
2. two processes under torchrun with two samples each;
3. one process that takes the four samples one after another (``distributed.accumulate: 4``);
4. as 2, but one process is killed (SIGKILL) half-way, and torchrun starts both again from the last checkpoint.

Writes ``Testing/Benchmarks/distributed_results/`` and ``docs/pictures/distributed-training.png``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPE = REPOSITORY / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.yaml"
RESULTS = Path(__file__).with_name("distributed_results")
PICTURE = REPOSITORY / "docs" / "pictures" / "distributed-training.png"
BATCH = 4
CASES = 20
"""An epoch is five steps, so that a kill falls between two checkpoints."""


@dataclass(frozen=True)
class Run:
    """One way to train.

    Args:
        name: As the table calls it.
        processes: How many.
        accumulate: Parts into which each divides its share.
        killed_after: Steps after which the last process is killed; None: never.
    """

    name: str
    processes: int = 1
    accumulate: int = 1
    killed_after: int | None = None


@dataclass(frozen=True)
class Found:
    """What a run left.

    Args:
        lines: Loss of each step, as (attempt, step, loss), in the order of time.
        weights: The network's at the end.
        cpu_seconds: Of all processes, without their start.
    """

    lines: list[tuple[int, int, float]]
    weights: Mapping[str, Any]
    cpu_seconds: float

    @property
    def losses(self) -> dict[int, float]:
        """Loss of each step; where a step was done again, that of the last time."""
        return {step: loss for _, step, loss in self.lines}


class LossFile:
    """A watcher of a run that writes down the loss of each step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def step(self, facts: Any) -> None:
        attempt = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
        with self.path.open("a") as file:
            file.write(json.dumps([attempt, facts.step, facts.loss]) + "\n")

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Nothing to write."""

    def worst_case(self, picture: bytes, *, name: str, step: int) -> None:
        """Nothing to write."""

    def close(self) -> None:
        """Nothing is open."""


def train_here(folder: Path) -> None:
    """Be one of the processes that train."""
    from MedSegAI.Logic.reporter import SilentReporter
    from MedSegAI.Logic.training.config import read_config
    from MedSegAI.Logic.training.distributed.open_processes import open_processes
    from MedSegAI.Logic.training.trainer import train

    config = read_config(folder / "config.yaml")
    with open_processes(config.distributed, device=config.device) as processes:
        watchers = [LossFile(folder / "losses.jsonl")] if processes.is_writer else []
        train(
            config,
            data=folder.parent / "data",
            output=folder / "run",
            reporter=SilentReporter(),
            processes=processes,
            watchers=watchers,
        )


def train_elsewhere(run: Run, folder: Path, steps: int) -> Found:
    """Train in new processes, under torchrun where there are several."""
    import yaml

    from MedSegAI.Logic.training.checkpoint import load_checkpoint

    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(recipe(run, steps)))
    module = ["-m", "Testing.Benchmarks.distributed", "--process", str(folder)]
    several = ["-m", "torch.distributed.run", "--standalone", "--max-restarts=1", f"--nproc_per_node={run.processes}"]
    command = [sys.executable, *(several if run.processes > 1 else []), *module]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=log, stderr=log
        )
        if run.killed_after is not None:
            kill_the_last(process, folder / "losses.jsonl", after=run.killed_after, count=run.processes)
        if process.wait(timeout=1800):
            raise SystemExit(f"{run.name} failed:\n{(folder / 'log.txt').read_text()}")
    lines = [tuple(json.loads(line)) for line in (folder / "losses.jsonl").read_text().splitlines()]
    kept = load_checkpoint(folder / "run" / "last.pt")
    return Found(lines, kept.network, kept.progress.cpu_seconds)


def recipe(run: Run, steps: int) -> dict[str, Any]:
    """The shipped recipe, shortened, with what the comparison needs."""
    import yaml

    content = yaml.safe_load(RECIPE.read_text())
    content["network"]["arguments"]["dropout_path_rate"] = 0.0
    content["optimiser"]["warm_up_steps"] = 5
    changes = {
        "name": "distributed",
        "batch_size": BATCH,
        "total_steps": steps,
        "precision": "fp32",
        "device": "cpu",
        "threads": 1,
        "validation": {"every_epochs": steps},
        "distributed": {"accumulate": run.accumulate, "timeout_seconds": 300.0},
    }
    return content | changes


def kill_the_last(torchrun: subprocess.Popen, losses: Path, *, after: int, count: int) -> None:
    """SIGKILL the process of the highest rank once so many steps are done."""
    while not losses.is_file() or len(losses.read_text().splitlines()) < after:
        if torchrun.poll() is not None:
            raise SystemExit("torchrun ended before anything could be killed.")
        time.sleep(0.05)
    workers = psutil.Process(torchrun.pid).children()
    (last,) = [worker for worker in workers if worker.environ().get("RANK") == str(count - 1)]
    last.kill()


def rows_of(found: Mapping[Run, Found]) -> list[dict[str, Any]]:
    """One row a run, compared with the first."""
    first, undisturbed = list(found.values())[:2]
    return [
        {
            "run": run.name,
            "steps done": len(here.lines),
            "loss of step 1": f"{here.losses[1]:.6f}",
            f"loss of step {len(first.losses)}": f"{here.losses[len(first.losses)]:.6f}",
            "greatest difference of loss": f"{max(abs(here.losses[s] - first.losses[s]) for s in first.losses):.1e}",
            "relative difference of weights": f"{weight_difference(first.weights, here.weights):.1e}",
            "... from two processes": f"{weight_difference(undisturbed.weights, here.weights):.1e}",
            "CPU seconds": f"{here.cpu_seconds:.0f}",
        }
        for run, here in found.items()
    ]


def weight_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Norm of the difference of all weights, relative to the norm of the weights."""
    apart = sum(float((one[name].double() - other[name].double()).square().sum()) for name in one)
    return (apart / sum(float(values.double().square().sum()) for values in one.values())) ** 0.5


def draw(found: Mapping[Run, Found]) -> None:
    """Loss curves above, differences from the first run below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 6.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    styles = [{"lw": 5, "alpha": 0.3}, {"lw": 1.5}, {"ls": "--", "lw": 1.5}, {"marker": "o", "ms": 3, "lw": 0.8}]
    first = next(iter(found.values()))
    for number, ((run, here), style) in enumerate(zip(found.items(), styles, strict=True)):
        for attempt in sorted({attempt for attempt, _, _ in here.lines}):
            points = [(step, loss) for other, step, loss in here.lines if other == attempt]
            label = run.name if attempt == 0 else f"{run.name}: started again"
            colour = f"C{number + attempt}"
            above.plot(*zip(*points, strict=True), color=colour, label=label, **style)
            if number:
                apart = [(step, max(abs(loss - first.losses[step]), 1e-9)) for step, loss in points]
                below.plot(*zip(*apart, strict=True), color=colour, **style)
    restarted = min((step for attempt, step, _ in found[tuple(found)[-1]].lines if attempt), default=None)
    if restarted is not None:
        above.axvline(restarted - 0.5, color="0.5", ls=":", label="last checkpoint before the kill")
    above.set(ylabel="Loss of the step's batch of four", title="The same batch in one process, two, or in parts")
    below.set(
        ylabel="Difference from one process\n(none is drawn at 1e-9)", xlabel="Step", yscale="log", ylim=(5e-10, 1)
    )
    above.legend()
    for axes in (above, below):
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)


def main() -> None:
    """Run all four, and write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data" / "msd_hippocampus")
    parser.add_argument("--process", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.process:
        train_here(options.process)
        return
    from Testing.Benchmarks.study_tables import Table, as_markdown, write_tables
    from Testing.few_crops import few_crops

    runs = (
        Run("one process"),
        Run("two processes", processes=2),
        Run("one process, four parts", accumulate=4),
        Run("two processes, one killed", processes=2, killed_after=options.steps * 3 // 5),
    )
    with tempfile.TemporaryDirectory() as scratch:
        few_crops(options.data, Path(scratch) / "data", train=CASES, val=2)
        found = {run: train_elsewhere(run, Path(scratch) / f"run{n}", options.steps) for n, run in enumerate(runs)}
    table = Table("losses", f"{options.steps} steps with the same batches of {BATCH}", rows_of(found))
    remarks = [
        "Written by `python -m Testing.Benchmarks.distributed`. CPU seconds are those of all processes, validation",
        "counted, in the run as its last checkpoint knows it; on a busy machine of two cores.",
    ]
    write_tables(RESULTS, "distributed", [table], remarks=remarks)
    draw(found)
    print(as_markdown(table.rows))


if __name__ == "__main__":
    main()
