"""A run that kills its own process without a warning, at the moment that it is told.

``python -m Testing.Logic.training.killed_run CONFIG.yaml DATA OUTPUT MOMENT``, where MOMENT is ``step`` (while the
gradients of the next step are computed) or ``saving`` (while the checkpoint of an epoch's end is half written).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training import checkpoint, learner
from MedSegAI.Logic.training.config import read_config
from MedSegAI.Logic.training.trainer import train


def main() -> None:
    config, data, output, moment = sys.argv[1:]
    if moment == "step":
        die_in_step(3)
    else:
        die_while_saving()
    train(read_config(Path(config)), data=Path(data), output=Path(output), reporter=SilentReporter())


def die_in_step(number: int) -> None:
    compute = learner.leave_gradients
    calls = []

    def die(*given, **named):
        calls.append(1)
        result = compute(*given, **named)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    learner.leave_gradients = die


def die_while_saving() -> None:
    save = checkpoint.torch.save

    def die(content, path):
        save(content, path)
        if Path(path).name == "last.pt" and not content["progress"]["epoch_losses"]:
            Path(path).write_bytes(Path(path).read_bytes()[:5000])
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint.torch.save = die


if __name__ == "__main__":
    main()
