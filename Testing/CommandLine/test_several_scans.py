"""Several scans on the command line: by order or by name, registered where nothing says that they lie right."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.files.write import write_volume
from Testing.CommandLine.conftest import CARD_TEMPLATE, Shown
from Testing.four_inputs import NAME, NAMES, save_four_input_model, write_sequences
from Testing.synthetic_series import a_pattern, write_series


@pytest.fixture(scope="module")
def scans(data_folder: Path, models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    save_four_input_model(models_folder, CARD_TEMPLATE)
    return write_sequences(data_folder, tmp_path_factory.mktemp("sequences"))


@pytest.fixture
def shifted(scans: dict[str, Path], tmp_path: Path) -> Path:
    """The FLAIR as if the patient had moved by 7 mm since."""
    scan = read_volume(scans["FLAIR"])
    x, y, z = scan.grid.origin
    path = tmp_path / "shifted.nrrd"
    write_volume(path, replace(scan, grid=replace(scan.grid, origin=(x + 6.0, y - 3.0, z + 2.0))))
    return path


def in_process(*arguments: object) -> tuple[object, ...]:
    return (*arguments, "--model", NAME, "--in-process")


def labels_of(path: Path) -> np.ndarray:
    return read_segmentation(path).labels.array


def test_scans_by_order_and_by_name_give_one_result(medsegai: Callable[..., Shown], scans, tmp_path: Path):
    outs = [tmp_path / f"{number}.nrrd" for number in range(2)]
    by_order = medsegai(*in_process("segment", *scans.values(), "-o", outs[0], "--json"))
    assert by_order.code == 0, by_order.err + by_order.out
    named = [f"--input={name}={scans[name]}" for name in reversed(NAMES)]
    assert medsegai(*in_process("segment", *named, "-o", outs[1])).code == 0
    np.testing.assert_array_equal(*map(labels_of, outs))
    inputs = json.loads(by_order.out)["provenance"]["inputs"]
    assert [(entry["input"], entry["scan"]) for entry in inputs] == [(name, name.lower()) for name in NAMES]


def test_a_scan_that_lies_elsewhere_is_registered_and_explained_with_its_own_alignment(
    medsegai: Callable[..., Shown], scans, shifted: Path, tmp_path: Path
):
    named = [f"--input={name}={path}" for name, path in {**scans, "FLAIR": shifted}.items()]
    out, heat, again = (tmp_path / name for name in ("out.seg.nrrd", "heat.nrrd", "again.nrrd"))
    done = medsegai(
        *in_process("segment", *named, "-o", out, "--prepare", "T1=z-score", "--heatmap", heat, "--target", "1")
    )
    assert done.code == 0, done.err
    assert "Nothing says that 'shifted' and 't1' lie in one space. Registering." in done.err
    record = read_segmentation(out).provenance.inputs[3].steps[-1]
    assert (record.step, record.settings["reference"]) == ("align", "t1")
    matrix = np.reshape(record.settings["matrix"], (4, 4))
    np.testing.assert_allclose(matrix[:3, 3] + matrix[:3, :3] @ [0, -117, 75] - [0, -117, 75], [6, -3, 2], atol=1.5)
    shown = medsegai(*in_process("explain", out, *named, "-o", again, "--target", "1"))
    assert shown.code == 0, shown.err
    assert shown.err.count("Again as in the earlier run") == 2
    np.testing.assert_allclose(read_volume(again).array, read_volume(heat).array, atol=1e-5)


def test_a_scan_that_lies_elsewhere_is_taken_as_it_lies_where_the_user_says_so_and_explained_on_its_grid(
    medsegai: Callable[..., Shown], scans, shifted: Path, tmp_path: Path
):
    named = [f"--input={name}={path}" for name, path in {**scans, "FLAIR": shifted}.items()]
    out, heat, again = (tmp_path / name for name in ("out.seg.nrrd", "heat.nrrd", "again.nrrd"))
    wanted = ("--align", "never", "--reference", "FLAIR", "--heatmap", heat, "--target", "1")
    assert medsegai(*in_process("segment", *named, "-o", out, *wanted)).code == 0
    steps = [[step.step for step in entry.steps] for entry in read_segmentation(out).provenance.inputs]
    assert steps == [["as-it-lies"]] * 3 + [[]]
    assert medsegai(*in_process("explain", out, *named, "-o", again, "--target", "1")).code == 0
    assert read_volume(again).grid.same_frame(read_volume(shifted).grid)
    np.testing.assert_allclose(read_volume(again).array, read_volume(heat).array, atol=1e-5)
    fewer = [argument for argument in named if not argument.startswith("--input=FLAIR")]
    refused = medsegai(*in_process("explain", out, *fewer, "-o", again, "--target", "1"))
    assert (refused.code, "FLAIR is missing" in refused.err) == (2, True)
    for option in (("--prepare", "z-score"), ("--reference", "T1"), ("--align", "always"), ("--roi", "0:9,0:9,0:9")):
        refused = medsegai(*in_process("explain", out, *named, "-o", again, "--target", "1", *option))
        assert (refused.code, f"{option[0]} and a segmentation exclude each other" in refused.err) == (2, True)


def test_a_missing_scan_is_refused_unless_the_model_does_without_it(
    medsegai: Callable[..., Shown], scans, tmp_path: Path
):
    named = [f"--input={name}={scans[name]}" for name in ("T1", "T1c", "FLAIR")]
    out = tmp_path / "out.nrrd"
    shown = medsegai(*in_process("segment", *named, "-o", out, "--reference", "FLAIR", "--json"))
    assert shown.code == 0, shown.err
    provenance = json.loads(shown.out)["provenance"]
    assert (provenance["inputs"][2]["scan"], provenance["input_name"]) == (None, "flair")
    refused = medsegai(*in_process("segment", *named[:2], "-o", tmp_path / "no.nrrd"))
    assert (refused.code, "FLAIR is missing" in refused.err) == (2, True)
    assert not (tmp_path / "no.nrrd").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("{T1}", "--input=T1={T1}"), "both with and without --input"),
        ((), "There is no scan to work on"),
        (("{T1}",) * 5, "5 scans are given; 'untrained-tumour' takes 4: T1, T1c, T2, FLAIR"),
        (("--input=ADC={T1}",), "--input names 'ADC'"),
        (("--input=T1={T1}", "--input=T1={T1}"), "names 'T1' twice"),
        (("--input={T1}",), "is not of the form NAME=PATH"),
        (("{T1}", "{T1}", "--reference=T2"), "--reference names 'T2'"),
        (("{T1}", "{T1c}", "{T2}", "{FLAIR}", "--prepare=ADC=z-score"), "--prepare names 'ADC'"),
        (("{T1}", "{T1c}", "{T2}", "{FLAIR}", "--prepare=T1=suv"), "'t1' is an MR scan"),
    ],
)
def test_what_cannot_be_meant_is_said(
    medsegai: Callable[..., Shown], scans, tmp_path: Path, arguments: tuple[str, ...], sentence: str
):
    written = [argument.format(**scans) for argument in arguments]
    shown = medsegai(*in_process("segment", *written, "-o", tmp_path / "out.nrrd"))
    assert shown.code == 2
    assert sentence in shown.err
    assert list(tmp_path.iterdir()) == []


def test_a_series_named_for_one_input_is_taken_for_it_and_the_other_series_for_the_rest(
    medsegai: Callable[..., Shown], scans, tmp_path: Path
):
    study = tmp_path / "study"
    for number, name in enumerate(("first", "second"), start=1):
        array = a_pattern((6, 16, 16)) + number
        write_series(study / name, array, modality="MR", intercept=0, number=number, change=described(name))
    series = ("--series", "T2=second", "--series", "first")
    shown = medsegai(*in_process("segment", *[study] * 4, "-o", tmp_path / "out.nrrd", *series))
    assert "taken for T1: 'first'; T1c: 'first'; T2: 'second'; FLAIR: 'first'" in shown.err
    assert (shown.code, "scans for T1 and T1c are one and the same" in shown.err) == (2, True)


def described(name: str) -> Callable[[pydicom.Dataset, int], None]:
    def describe(dataset: pydicom.Dataset, k: int) -> None:
        dataset.SeriesDescription = name

    return describe
