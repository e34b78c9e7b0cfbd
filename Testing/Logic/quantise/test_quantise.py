"""An 8-bit form is made from some cases, measured on others, and kept only where it is as accurate."""

from __future__ import annotations

import dataclasses
import errno
import json
import tempfile

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError, ModelError, StorageError
from MedSegAI.Logic.evaluation.metrics import MaskScores
from MedSegAI.Logic.evaluation.tables import CaseScores, Evaluation
from MedSegAI.Logic.files.decathlon import read_case
from MedSegAI.Logic.inference.engines import int8_engine
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.engines.int8_record import RECORD_NAME, Int8Record, find_int8, own_int8_folder
from MedSegAI.Logic.inference.engines.open import open_torch_engine
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, read_model
from MedSegAI.Logic.quantise.quantise import QuantiseChoices, _figures, quantise, refuse_inaccurate
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import DeviceChoice, RunSettings


@dataclasses.dataclass
class Listener(SilentReporter):
    """Remembers the messages."""

    told: list = dataclasses.field(default_factory=list)

    def message(self, text):
        self.told.append(text)


def segmented(model, volume, engine):
    found = segment(volume, model, settings=RunSettings(device="cpu"), reporter=SilentReporter(), engine=engine)
    return found.labels.array


def test_it_lies_in_the_models_folder_with_a_record_of_its_figures(quantised, own_model):
    record = quantised.record
    assert quantised.folder == own_model.folder / "int8" == own_int8_folder(own_model)
    assert Int8Record.from_json((quantised.folder / RECORD_NAME).read_text()) == record
    assert (record.calibrated_on.subset, record.calibrated_on.windows) == ("train", 2)
    assert (record.measured_on.subset, record.measured_on.cases) == ("val", 1)
    assert record.weights_sha256 == own_model.card.weights_sha256
    assert {"torch", "openvino", "nncf"} <= set(record.versions)
    assert 0.8 < record.dice_float < 0.95
    assert abs(record.drop) < 0.02
    assert set(record.dice_by_label) == {label.key for label in own_model.card.labels}


def test_the_command_shows_the_figures_and_where_the_files_are(by_command):
    lines = by_command.out.splitlines()
    assert lines[0].split() == ["LABEL", "DICE", "IN", "8", "BITS"]
    assert f"Kept: {by_command.made.record.sentence()}." in lines
    assert f"Written: {by_command.made.folder}. Runs use it with the engine openvino-int8." in lines


def test_the_engine_segments_nearly_as_torch_does(quantised, own_model, hippocampus_folder, hippocampus_crops):
    def open_torch():
        return open_torch_engine(own_model, device=DeviceChoice.CPU, reporter=SilentReporter())

    listener = Listener()
    engine = int8_engine.open_for(own_model, open_torch=open_torch, reporter=listener)
    assert isinstance(engine, Engine)
    assert "int8" in engine.name
    assert any("mean Dice" in sentence for sentence in listener.told)
    volume, _labels = read_case(hippocampus_folder, hippocampus_crops[1].name)
    ours, theirs = segmented(own_model, volume, engine), segmented(own_model, volume, open_torch())
    assert not np.array_equal(ours, np.zeros_like(ours))
    dice = 2 * ((ours > 0) & (theirs > 0)).sum() / ((ours > 0).sum() + (theirs > 0).sum())
    assert dice > 0.97


def test_what_loses_too_much_is_refused_with_its_figures(quantised):
    worse = dataclasses.replace(quantised.record, dice_float=0.9, dice_int8=0.89, largest_drop=0.005)
    with pytest.raises(ModelError, match=r"nothing was kept: mean Dice 0\.9000 before and 0\.8900"):
        refuse_inaccurate(worse)
    refuse_inaccurate(dataclasses.replace(worse, dice_int8=0.895001))
    with pytest.raises(ModelError):
        refuse_inaccurate(dataclasses.replace(worse, dice_int8=float("nan")))


def test_a_shipped_model_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDSEGAI_MODELS", str(tmp_path))
    shipped = read_model(SHIPPED_MODELS / "hippocampus-mr")
    assert own_int8_folder(shipped) == tmp_path / "hippocampus-mr.int8"


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"calibrated_on": "same"}, "both calibrated with and measured on"),
        ({"calibrated_on": "test"}, "no list of cases 'test'"),
        ({"cases": 0}, "Nothing would be calibrated with"),
        ({"largest_drop": -0.1}, "drop of -0.1 is not usable"),
    ],
)
def test_choices_that_cannot_give_honest_figures_are_refused(own_model, hippocampus_folder, a_split, choices, sentence):
    with pytest.raises(InputError, match=sentence):
        quantise(
            own_model,
            hippocampus_folder,
            split=a_split,
            choices=QuantiseChoices(**choices),
            reporter=SilentReporter(),
        )


def test_a_model_that_segments_what_is_pointed_at_is_refused(hippocampus_folder, a_split):
    model = read_model(SHIPPED_MODELS / "lung-nodule-ct")
    with pytest.raises(InputError, match="pointed at"):
        quantise(model, hippocampus_folder, split=a_split, choices=QuantiseChoices(), reporter=SilentReporter())


def test_a_folder_with_something_else_in_it_is_left_alone(own_model, hippocampus_folder, a_split, tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(StorageError, match="holds something already"):
        quantise(
            own_model,
            hippocampus_folder,
            split=a_split,
            choices=QuantiseChoices(),
            reporter=SilentReporter(),
            folder=tmp_path,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_it_is_found_only_for_the_weights_it_was_made_from(quantised, own_model):
    assert find_int8(own_model) == quantised
    other = dataclasses.replace(own_model, card=dataclasses.replace(own_model.card, weights_sha256="0" * 64))
    with pytest.raises(ModelError, match="other weights") as refused:
        find_int8(other)
    assert "medsegai models quantise" in refused.value.advice


def test_a_case_without_a_file_is_found_before_anything_is_computed(own_model, hippocampus_folder, tmp_path):
    names = json.loads((hippocampus_folder / "split.json").read_text())
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"train": names["train"][:1], "val": ["nobody"]}))
    listener = Listener()
    with pytest.raises(InputError, match="no file for the case 'nobody'"):
        quantise(
            own_model,
            hippocampus_folder,
            split=split,
            choices=QuantiseChoices(),
            reporter=listener,
            folder=tmp_path / "q",
        )
    assert listener.told == []


def test_a_model_that_finds_nothing_right_has_nothing_that_it_could_lose():
    nothing = MaskScores(0.0, 0.0, 1.0, 0.0, 1.0, None, 3.0, 0.0)
    found_nothing = Evaluation("model", "0" * 64, "data", "val", (CaseScores("case", 1.0, {"hippocampus": nothing}),))
    with pytest.raises(InputError, match="no case holds a structure that the model finds"):
        _figures(found_nothing, found_nothing)


def test_a_place_that_cannot_be_written_is_found_before_anything_is_computed(
    own_model, hippocampus_folder, a_split, tmp_path, monkeypatch
):
    def refuse(*_given: object, **_more: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    listener = Listener()
    with pytest.raises(StorageError, match="no permission"):
        quantise(
            own_model,
            hippocampus_folder,
            split=a_split,
            choices=QuantiseChoices(),
            reporter=listener,
            folder=tmp_path / "q",
        )
    assert listener.told == []
    assert list(tmp_path.iterdir()) == []
