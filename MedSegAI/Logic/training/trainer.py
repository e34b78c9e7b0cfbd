"""Train a network as a configuration says: deterministic, resumable after every step, quick on a CPU.

The weights that are validated and kept are an exponential moving average of the trained ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import DeviceChoice
from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.distributed.placement import training_device
from MedSegAI.Logic.training.opening import open_sets, with_teachers
from MedSegAI.Logic.training.processes import OneProcess, Processes
from MedSegAI.Logic.training.record import Record
from MedSegAI.Logic.training.run import Run
from MedSegAI.Logic.training.run_folder import BEST_NAME, CHECKPOINT_NAME, TABLE_NAME, run_folder
from MedSegAI.Logic.training.summary import TrainingSummary
from MedSegAI.Logic.training.torch_setup import set_up_torch
from MedSegAI.Logic.training.watching import Watcher

__all__ = ["BEST_NAME", "CHECKPOINT_NAME", "TABLE_NAME", "TrainingSummary", "train"]


def train(
    config: TrainingConfig,
    *,
    data: Path | None = None,
    output: Path,
    reporter: Reporter,
    processes: Processes | None = None,
    watchers: Sequence[Watcher] = (),
) -> TrainingSummary:
    """Train a network, or go on with the run in ``output``.

    Args:
        config: What to train on what, and how.
        data: Folder of the data; None looks for ``config.data.folder`` inside what the environment variable
            MEDSEGAI_DATA names.
        output: Folder of the run. If it holds a checkpoint of the same configuration, the run goes on from there and
            ends with the weights of an uninterrupted one, unless time is its limit.
        reporter: Sees every step and epoch, and may cancel between steps; a cancelled run leaves a checkpoint.
        processes: Who trains together; None: this process alone.
        watchers: Who else looks on.

    Raises:
        InputError: if the data cannot be used, or ``output`` holds a run of another configuration.
        DeviceError: if the device cannot be used, or not in this precision.
        StorageError: if ``output`` cannot be written, or another run is writing there.
        Cancelled: if the reporter asked to stop.
    """
    with set_up_torch(config.threads):
        processes = processes or _alone(config)
        processes.parts_of_step(config.batch_size)  # Refuses a batch that cannot be divided before anything is read.
        learned, watched = open_sets(config, data)
        learned = with_teachers(learned, config)
        with run_folder(output) if processes.is_writer else nullcontext(Path(output)) as folder:
            record = Record(folder, config, watched, watchers) if processes.is_writer else None
            return Run(
                config, learned, watched, folder=folder, reporter=reporter, processes=processes, record=record
            ).to_the_end()


def _alone(config: TrainingConfig) -> Processes:
    device = training_device(DeviceChoice(config.device), local_rank=0)
    return OneProcess(device, accumulate=config.distributed.accumulate)
