"""An evaluation measures what a user's run gives."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.evaluation.evaluate import evaluate
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, Model, read_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Modality

SETTINGS = RunSettings(device="cpu")


@dataclass
class Watcher(SilentReporter):
    """Remembers the progress; cancels after ``cases`` cases."""

    cases: int = 99
    seen: list[tuple[int, int]] = field(default_factory=list)

    def progress(self, done: int, total: int, stage: str) -> None:
        self.seen.append((done, total))

    def cancelled(self) -> bool:
        return len(self.seen) > self.cases


@pytest.fixture(scope="module")
def the_shipped_model() -> Model:
    return read_model(SHIPPED_MODELS / "hippocampus-mr")


@pytest.fixture
def two_validation_crops(hippocampus_folder: Path, tmp_path: Path) -> Path:
    """A split of the first two validation crops."""
    names = json.loads((hippocampus_folder / "split.json").read_text())["val"][:2]
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"val": names}))
    return path


def test_the_shipped_model_finds_the_hippocampus_of_two_unseen_people(
    the_shipped_model, hippocampus_folder, two_validation_crops
):
    reporter = Watcher()
    evaluation = evaluate(
        the_shipped_model,
        hippocampus_folder,
        split=two_validation_crops,
        subset="val",
        settings=SETTINGS,
        reporter=reporter,
    )
    assert reporter.seen == [(0, 2), (1, 2), (2, 2)]
    assert [case.case for case in evaluation.cases] == json.loads(two_validation_crops.read_text())["val"]
    for label in ("anterior_hippocampus", "posterior_hippocampus"):
        assert evaluation.mean(label)["dice"] > 0.8
        assert evaluation.mean(label)["hd95_mm"] < 3.0
    assert evaluation.model_sha256 == the_shipped_model.card.weights_sha256
    assert all(case.seconds > 0 for case in evaluation.cases)


def test_the_table_holds_what_a_users_run_gives(the_shipped_model, hippocampus_crops, two_validation_crops):
    crop = hippocampus_crops[0]
    evaluation = evaluate(
        the_shipped_model,
        crop.image.parents[1],
        split=two_validation_crops,
        subset="val",
        settings=SETTINGS,
        reporter=SilentReporter(),
    )
    volume = read_volume(crop.image, modality=Modality.MR)
    result = segment(volume, the_shipped_model, settings=SETTINGS, reporter=SilentReporter())
    expert = sitk.GetArrayFromImage(sitk.ReadImage(str(crop.labels)))
    expected = dice(result.labels.array == 1, expert == 1)
    assert evaluation.cases[0].labels["anterior_hippocampus"].dice == pytest.approx(expected)


def test_an_evaluation_can_be_cancelled_between_cases(the_shipped_model, hippocampus_folder, two_validation_crops):
    with pytest.raises(Cancelled):
        evaluate(
            the_shipped_model,
            hippocampus_folder,
            split=two_validation_crops,
            subset="val",
            settings=SETTINGS,
            reporter=Watcher(cases=0),
        )


def test_a_label_on_another_grid_is_refused_with_a_sentence(the_shipped_model, tmp_path):
    image = sitk.GetImageFromArray(np.random.default_rng(0).normal(100, 10, (33, 65, 33)).astype(np.float32))
    label = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    label.SetOrigin((5.0, 0.0, 0.0))
    for name, file in (("imagesTr", image), ("labelsTr", label)):
        (tmp_path / name).mkdir()
        sitk.WriteImage(file, str(tmp_path / name / "case.nii.gz"))
    (tmp_path / "split.json").write_text(json.dumps({"val": ["case"]}))
    with pytest.raises(InputError, match="Image and label of 'case' do not lie on the same grid"):
        evaluate(
            the_shipped_model,
            tmp_path,
            split=tmp_path / "split.json",
            subset="val",
            settings=SETTINGS,
            reporter=SilentReporter(),
        )
