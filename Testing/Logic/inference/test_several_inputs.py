"""A model of four inputs is shown each scan in its own channel, by name, from the scan's own voxels."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import MedSegAI.Logic.models.card as card_module
from MedSegAI.Logic.align.move import as_it_lies, moved_grid
from MedSegAI.Logic.errors import InputError, ModelError, RegionError
from MedSegAI.Logic.explain.explain import explain
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.prepare_region import prepare_region
from MedSegAI.Logic.inference.regions import choose_regions
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.scans import InputScans, scans_for
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.inference.sliding_window import segment_array
from MedSegAI.Logic.models.card import ModelCard, ModelInput
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import build_network
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.standardise.resample import canonical_grid, grid_with_spacing, resample
from MedSegAI.Logic.volume import PATIENT_KEY, Modality, Unit, Volume
from Testing.four_inputs import MM, NAMES, registered_sequences

TEMPLATE = Path(card_module.__file__).parents[2] / "Resources" / "Training" / "hippocampus-mr.card.json"
SETTINGS = RunSettings(device="cpu")
RULES = {
    "T1": Normalisation("z_score", (0.5, 99.5)),
    "T1c": Normalisation("range"),
    "T2": Normalisation("z_score"),
    "FLAIR": Normalisation("z_score", (1.0, 99.0)),
}


@pytest.fixture(scope="module")
def sequences(data_folder: Path) -> dict[str, Volume]:
    return registered_sequences(data_folder)


@pytest.fixture(scope="module")
def a_model() -> Model:
    """A card of four inputs, of which the T2 may be missing."""
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    inputs = tuple(ModelInput(name, Modality.MR, Unit.ARBITRARY, RULES[name], name == "T2") for name in NAMES)
    arguments = {**card.network_arguments, "in_channels": 4}
    changes = {"inputs": inputs, "network_arguments": arguments, "spacing_mm": MM, "window": (32, 64, 32)}
    return Model(Path("nowhere"), replace(card, **changes, overlap=0.0, localiser=None, components="all"))


@pytest.fixture(scope="module")
def an_engine(a_model: Model) -> EagerEngine:
    torch.manual_seed(5)
    return EagerEngine(build_network(a_model.card.network, a_model.card.network_arguments))


def run(scans: InputScans | Volume, model: Model, engine: EagerEngine, reporter=None) -> SegmentationResult:
    return segment(scans, model, settings=SETTINGS, reporter=reporter or SilentReporter(), engine=engine)


def direct(sequences: dict[str, Volume], engine: EagerEngine, *, without: tuple[str, ...] = ()) -> np.ndarray:
    """Labels on the scans' own grid, computed without any of the code that brings scans and model together."""
    grid = next(iter(sequences.values())).grid
    channels = [
        np.zeros(grid.shape, np.float32)
        if name in without
        else normalise(resample(sequences[name], canonical_grid(grid)).array, RULES[name])
        for name in NAMES
    ]
    options = {"window": (32, 64, 32), "overlap": 0.0, "classes": 3, "reporter": SilentReporter()}
    labels = segment_array(np.stack(channels), engine, **options).labels
    return resample(Volume(labels, canonical_grid(grid)), grid).array


def test_four_scans_give_what_the_network_gives_for_their_stacked_channels(sequences, a_model, an_engine):
    result = run(InputScans(sequences), a_model, an_engine)
    np.testing.assert_array_equal(result.labels.array, direct(sequences, an_engine))
    assert len(np.unique(result.labels.array)) > 1
    assert result.labels.grid == sequences["T1"].grid
    assert [(record.input, record.scan) for record in result.provenance.inputs] == [
        (name, f"{name} scan") for name in NAMES
    ]


def test_names_decide_which_channel_a_scan_is_and_their_order_does_not(sequences, a_model, an_engine):
    first = run(InputScans(sequences), a_model, an_engine).labels.array
    backwards = InputScans(dict(reversed(sequences.items())))
    np.testing.assert_array_equal(run(backwards, a_model, an_engine).labels.array, first)
    exchanged = InputScans({**sequences, "T1": sequences["FLAIR"], "FLAIR": sequences["T1"]})
    assert np.any(run(exchanged, a_model, an_engine).labels.array != first)


def test_an_optional_scan_that_is_missing_is_a_channel_of_zeros_and_is_noted(sequences, a_model, an_engine):
    without = {name: scan for name, scan in sequences.items() if name != "T2"}
    reporter = SilentReporter()
    result = run(InputScans(without), a_model, an_engine, reporter)
    np.testing.assert_array_equal(result.labels.array, direct(sequences, an_engine, without=("T2",)))
    assert [record.input for record in result.provenance.inputs if record.scan is None] == ["T2"]
    assert any("There is no T2 scan" in message for message in reporter.messages)


def test_a_scan_that_the_model_needs_must_be_there_under_its_name(sequences, a_model, an_engine):
    two = {name: sequences[name] for name in ("T1", "T2")}
    with pytest.raises(InputError, match=r"T2 \(MR, may be missing\), FLAIR \(MR\); T1c and FLAIR are missing"):
        run(InputScans(two), a_model, an_engine)
    with pytest.raises(InputError, match="has no input 'ADC'") as refused:
        run(InputScans({**sequences, "ADC": sequences["T1"]}), a_model, an_engine)
    assert "T1, T1c, T2, FLAIR" in refused.value.advice
    with pytest.raises(InputError, match="There is no scan to work on"):
        InputScans({})
    with pytest.raises(InputError, match="There is no scan 'ADC' on whose grid the result could lie"):
        InputScans(sequences, "ADC")


def turned(scan: Volume) -> Volume:
    """The scan at another spacing and turned by 8 degrees, so that no voxel lies where one of the others does."""
    angle = np.deg2rad(8.0)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    grid = moved_grid(grid_with_spacing(scan.grid, (4.0, 4.0, 6.0)), LinearTransform(tuple(matrix.ravel())))
    return resample(scan, grid)


def test_a_scan_on_another_grid_is_interpolated_once_from_its_own_voxels(sequences, a_model, an_engine):
    flair = as_it_lies(turned(sequences["FLAIR"]), reference=sequences["T1"])
    case = scans_for(InputScans({**sequences, "FLAIR": flair}), a_model.card)
    (region,) = choose_regions(case, a_model.card, settings=SETTINGS, reporter=SilentReporter()).regions
    image = prepare_region(case, region, a_model.card)
    assert image.shape == (4, *region.grid.shape)
    expected = normalise(resample(flair, region.grid).array, RULES["FLAIR"])
    np.testing.assert_array_equal(image[3], expected)
    result = run(case, a_model, an_engine)
    assert result.labels.grid == sequences["T1"].grid
    assert "without registration" in result.provenance.inputs[3].steps[-1].sentence
    assert result.labels.steps == ()


def test_the_result_lies_on_the_scan_that_is_named(sequences, a_model, an_engine):
    flair = as_it_lies(turned(sequences["FLAIR"]), reference=sequences["T1"])
    result = run(InputScans({**sequences, "FLAIR": flair}, "FLAIR"), a_model, an_engine)
    assert result.labels.grid == flair.grid
    assert result.provenance.input_name == "FLAIR scan"


def test_scans_of_which_nothing_says_that_they_lie_in_one_space_are_refused(sequences, a_model, an_engine):
    elsewhere = InputScans({**sequences, "FLAIR": turned(sequences["FLAIR"])})
    with pytest.raises(InputError, match="Nothing says that 'FLAIR scan' and 'T1 scan' lie in one space") as refused:
        run(elsewhere, a_model, an_engine)
    assert "Align it first" in refused.value.advice


def test_one_scan_for_two_inputs_is_refused(sequences, a_model, an_engine):
    twice = {**sequences, "FLAIR": replace(sequences["T1"], name="FLAIR scan")}
    with pytest.raises(InputError, match="scans for T1 and FLAIR are one and the same"):
        segment(InputScans(twice), a_model, engine=an_engine, settings=SETTINGS, reporter=SilentReporter())


def test_scans_of_two_patients_are_refused(sequences, a_model, an_engine):
    marked = {name: replace(scan, acquisition={PATIENT_KEY: "a"}) for name, scan in sequences.items()}
    run(InputScans(marked), a_model, an_engine)
    strange = replace(marked["FLAIR"], acquisition={PATIENT_KEY: "b"})
    with pytest.raises(InputError, match="are of different patients"):
        run(InputScans({**marked, "FLAIR": strange}), a_model, an_engine)


def test_a_scan_of_another_kind_is_refused_by_its_inputs_name(sequences, a_model, an_engine):
    with pytest.raises(InputError, match=r"'FLAIR scan' is a CT scan; .* takes MR \(FLAIR\)"):
        run(InputScans({**sequences, "FLAIR": replace(sequences["FLAIR"], modality=Modality.CT)}), a_model, an_engine)


def test_a_label_is_explained_with_the_scans_that_it_was_made_of(sequences, a_model, an_engine):
    case = InputScans({name: replace(scan, frame_of_reference="1.2.3") for name, scan in sequences.items()})
    result = run(case, a_model, an_engine)
    found = int(np.unique(result.labels.array)[-1])
    options = {"target": found, "layer": None, "settings": SETTINGS, "reporter": SilentReporter(), "engine": an_engine}
    heat = explain(case, result, a_model, **options)
    assert (heat.grid, heat.frame_of_reference) == (sequences["T1"].grid, "1.2.3")
    assert heat.array.max() == 1.0
    without = InputScans({name: scan for name, scan in sequences.items() if name != "T2"})
    with pytest.raises(InputError, match="was made of FLAIR, T1, T1c, T2; FLAIR, T1, T1c were given"):
        explain(without, result, a_model, **options)


def test_the_localiser_looks_at_the_scan_that_the_card_names(sequences, a_model):
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    localiser = replace(card.localiser, input="T2", fits_below_mm=(10.0, 10.0, 10.0))
    card = replace(a_model.card, localiser=localiser)
    case = scans_for(InputScans({name: scan for name, scan in sequences.items() if name != "T2"}), card)
    with pytest.raises(InputError, match="finds its structure in the T2 scan, which is missing"):
        choose_regions(case, card, settings=SETTINGS, reporter=SilentReporter())
    # Many metres wide: it is refused at a look, and by its name.
    vast = replace(sequences["T2"], grid=replace(sequences["T2"].grid, spacing=(100.0, 100.0, 100.0)))
    case = scans_for(InputScans({**sequences, "T2": vast}), card)
    with pytest.raises(RegionError, match="'T2 scan' does not look like a scan of a whole head"):
        choose_regions(case, card, settings=SETTINGS, reporter=SilentReporter())


def test_a_card_keeps_which_inputs_may_be_missing(a_model):
    assert ModelCard.from_json(a_model.card.to_json()) == a_model.card


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda inputs: (inputs[0], replace(inputs[1], name="T1")), "two of its inputs have one name"),
        (lambda inputs: tuple(replace(entry, optional=True) for entry in inputs), "each of its inputs is optional"),
    ],
)
def test_a_card_whose_inputs_make_no_sense_is_refused(a_model, change, wrong):
    card = dataclasses.replace(a_model.card, inputs=change(a_model.card.inputs))
    with pytest.raises(ModelError, match=wrong):
        ModelCard.from_json(card.to_json())


def test_a_card_whose_localiser_looks_at_no_input_is_refused(a_model):
    localiser = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8")).localiser
    card = replace(a_model.card, localiser=replace(localiser, input="ADC"))
    with pytest.raises(ModelError, match="its localiser looks at 'ADC'"):
        ModelCard.from_json(card.to_json())
