"""Learning from finished models beside the experts' labels: one network takes over what several know together.

Each sample's target becomes a mixture of the expert's label and of the teachers' mean probabilities on the very patch
that the student sees, augmentation and all (Hinton, Vinyals and Dean 2015, *Distilling the Knowledge in a Neural
Network*). A temperature softens the teachers only: the one loss of the run compares the student's own probabilities
with the mixture, so at 1, the default, this is Hinton's weighted sum of two cross-entropies, and the Dice part of the
loss sees the mixture, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.inference.flip_averaging import AS_IT_IS, LEFT_RIGHT, mean_probabilities
from MedSegAI.Logic.models.registry import read_model
from MedSegAI.Logic.models.weights import build_network, load_network, load_state
from MedSegAI.Logic.training.checkpoint import load_checkpoint
from MedSegAI.Logic.training.config import DistilConfig, TrainingConfig
from MedSegAI.Logic.training.training_set import Sample, TrainingSet


class TaughtSet:
    """The samples of a training set, with soft targets that teachers had a say in; see ``TrainingSet``.

    Everything random stays in the wrapped set, so a run that was stopped still goes on with the same samples.
    """

    def __init__(self, learned: TrainingSet, teachers: Sequence[nn.Module], config: DistilConfig) -> None:
        self.learned, self.config = learned, config
        self.teachers = tuple(teacher.eval().requires_grad_(False) for teacher in teachers)

    def __len__(self) -> int:
        """Cases."""
        return len(self.learned)

    def sample(self, index: int, *, generator: torch.Generator) -> Sample:
        """The wrapped set's patch; its target (classes, k, j, i) float32, adding up to 1, and its weights kept."""
        sample = self.learned.sample(index, generator=generator)
        answers = self._answers(sample.image)
        hard = _as_probabilities(sample.target, classes=len(answers))
        return Sample(sample.image, torch.lerp(hard, answers, self.config.weight), sample.weight)

    def _answers(self, image: Tensor) -> Tensor:
        mirrorings = LEFT_RIGHT if self.config.flips == "left_right" else (AS_IT_IS,)
        with torch.no_grad():
            return mean_probabilities(
                self.teachers, image[None], mirrorings=mirrorings, temperature=self.config.temperature
            )[0]


def with_teachers(learned: TrainingSet, config: TrainingConfig) -> TaughtSet:
    """The samples of a run with the answers of the teachers that ``config.distil`` names.

    Raises:
        InputError: if a teacher is not there, is neither a checkpoint nor a model folder, or knows other classes.
        ModelError: if a model folder is damaged.
    """
    teachers = [open_teacher(Path(path), classes=config.class_count) for path in config.distil.teachers]
    return TaughtSet(learned, teachers, config.distil)


def open_teacher(path: Path, *, classes: int) -> nn.Module:
    """The network of a model folder, or the averaged weights of a run's checkpoint, in evaluation mode.

    Args:
        path: A model folder, or a checkpoint such as ``best.pt``.
        classes: Output channels that it must have, background included.

    Raises:
        InputError: as :func:`with_teachers`.
        ModelError: likewise.
    """
    if path.is_dir():
        model = read_model(path)
        network, known = load_network(model), len(model.card.labels) + 1
    else:
        run = load_checkpoint(path)
        network, known = build_network(run.config.network.name, run.config.network.arguments), run.config.class_count
        load_state(network, run.average, source=f"The weights in '{path}'")
    if known != classes:
        raise InputError(
            f"The teacher '{path}' knows {known} classes, this run has {classes}.",
            advice="Choose teachers of the same labels.",
        )
    return network.to(memory_format=torch.channels_last_3d).eval()


def _as_probabilities(target: Tensor, *, classes: int) -> Tensor:
    if target.is_floating_point():
        return target
    return functional.one_hot(target, classes).movedim(-1, 0).float()
