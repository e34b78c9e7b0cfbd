"""Teachers have their say in the target of each voxel, on the patch that the student sees, and nothing else changes."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training.config import DistilConfig, config_from_mapping
from MedSegAI.Logic.training.distil import TaughtSet, open_teacher, with_teachers
from MedSegAI.Logic.training.opening import open_sets
from MedSegAI.Logic.training.trainer import train
from MedSegAI.Logic.training.training_set import Sample

TEACHERS = ("a.pt",)


class OneCase:
    """A patch of random labels, drawn from the generator."""

    def __len__(self) -> int:
        return 1

    def sample(self, index: int, *, generator: torch.Generator) -> Sample:
        image = torch.rand((1, 2, 3, 4), generator=generator)
        target = torch.randint(3, (2, 3, 4), generator=generator)
        return Sample(image, target, torch.rand((2, 3, 4), generator=generator))


class AlwaysSays(nn.Module):
    """The same logits in every voxel; remembers how often it was asked."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits, self.asked = torch.tensor(logits), 0

    def forward(self, images: Tensor) -> Tensor:
        self.asked += 1
        return self.logits[None, :, None, None, None].expand(len(images), -1, *images.shape[2:])


def the_sample(samples_from) -> Sample:
    return samples_from.sample(0, generator=torch.Generator().manual_seed(7))


def test_a_target_is_the_label_and_the_teachers_mean_in_the_stated_shares():
    teachers = [AlwaysSays(0.0, 0.0, 0.0), AlwaysSays(50.0, 0.0, 0.0)]
    plain = the_sample(OneCase())
    taught = the_sample(TaughtSet(OneCase(), teachers, DistilConfig(TEACHERS, weight=0.25)))
    said = torch.tensor([2 / 3, 1 / 6, 1 / 6])
    for value in range(3):
        share = 0.75 * (plain.target == value) + 0.25 * said[value]
        torch.testing.assert_close(taught.target[value], share)
    assert torch.equal(taught.image, plain.image)
    assert torch.equal(taught.weight, plain.weight)


def test_soft_targets_are_mixed_as_they_are():
    soft = TaughtSet(OneCase(), [AlwaysSays(0.0, 0.0, 0.0)], DistilConfig(TEACHERS, weight=0.5))
    twice = the_sample(TaughtSet(soft, [AlwaysSays(0.0, 0.0, 0.0)], DistilConfig(TEACHERS, weight=0.5)))
    torch.testing.assert_close(twice.target.sum(dim=0), torch.ones((2, 3, 4)))
    assert float(twice.target.max()) == pytest.approx(0.25 + 0.75 / 3)


@pytest.mark.parametrize(("flips", "asked"), [("left_right", 2), ("none", 1)])
def test_each_teacher_is_asked_once_for_each_mirror_image(flips, asked):
    teacher = AlwaysSays(0.0, 0.0, 0.0)
    the_sample(TaughtSet(OneCase(), [teacher], DistilConfig(TEACHERS, flips=flips)))
    assert teacher.asked == asked


def test_a_higher_temperature_teaches_softer_targets():
    def most(temperature: float) -> float:
        config = DistilConfig(TEACHERS, weight=1.0, temperature=temperature)
        return float(the_sample(TaughtSet(OneCase(), [AlwaysSays(3.0, 0.0, 0.0)], config)).target.max())

    assert most(4.0) < most(1.0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"teachers": ()}, r"distil.teachers is empty"),
        ({"weight": 0.0}, r"distil.weight is 0.0"),
        ({"temperature": 0.0}, r"distil.temperature is 0.0"),
        ({"flips": "all"}, r"distil.flips is 'all'"),
    ],
)
def test_teachers_that_cannot_teach_are_refused(changed, said):
    with pytest.raises(InputError, match=said):
        DistilConfig(**({"teachers": TEACHERS} | changed))


def test_a_teacher_of_other_classes_is_refused():
    folder = find_model("hippocampus-mr").folder
    with pytest.raises(InputError, match=r"knows 3 classes, this run has 5"):
        open_teacher(folder, classes=5)


def test_a_run_learns_from_a_model_folder_and_from_the_checkpoint_of_another_run(a_mapping, two_real_crops, tmp_path):
    first = config_from_mapping(a_mapping | {"total_steps": 1})
    teacher = train(first, data=two_real_crops, output=tmp_path / "teacher", reporter=SilentReporter())
    folder = find_model("hippocampus-mr").folder
    taught = {"teachers": [str(teacher.checkpoint), str(folder)], "weight": 0.5}
    config = config_from_mapping(a_mapping | {"total_steps": 2, "distil": taught})
    summary = train(config, data=two_real_crops, output=tmp_path / "student", reporter=SilentReporter())
    assert summary.steps == 2
    learned, _ = open_sets(config, two_real_crops)
    with_them = with_teachers(learned, config)
    sample = the_sample(with_them)
    assert sample.target.shape == (3, *config.patch_size)
    torch.testing.assert_close(sample.target.sum(dim=0), torch.ones(config.patch_size))
    without = with_teachers(learned, dataclasses.replace(config, distil=DistilConfig((str(folder),), weight=1e-6)))
    assert not torch.allclose(sample.target, the_sample(without).target, atol=0.01)
