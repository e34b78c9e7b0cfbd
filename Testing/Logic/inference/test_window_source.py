"""Windows of a scan that is prepared a few planes ahead are those of the scan prepared as a whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import MedSegAI.Logic.inference.windows as windows_module
import MedSegAI.Logic.models.card as card_module
from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.files.planes.open_planes import open_planes
from MedSegAI.Logic.files.planes.planes_array import on_disk
from MedSegAI.Logic.files.write import write_volume
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.prepare_region import prepare_region
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.inference.window_source import ArrayWindows, PreparedWindows
from MedSegAI.Logic.inference.windows import cut_window, window_starts
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.standardise.resample import canonical_grid
from MedSegAI.Logic.volume import Modality, Unit, Volume

TEMPLATE = Path(card_module.__file__).parents[2] / "Resources" / "Training" / "hippocampus-mr.card.json"
WINDOW = (16, 12, 20)
AS_IT_IS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
UPSIDE_DOWN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
PERMUTED = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
RULES = [
    Normalisation("range", clip_values=(-200.0, 250.0)),
    Normalisation("z_score", clip_percentiles=(0.5, 99.5)),
    Normalisation("range", clip_percentiles=(1.0, 99.0)),
    Normalisation("z_score"),
]


@pytest.fixture(autouse=True)
def _few_planes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_module, "PREPARED_AT_ONCE_BYTES", 5 * 40 * 36 * 4)


def a_card(*rules: Normalisation) -> ModelCard:
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    names = ("T1", "T2", "FLAIR")
    inputs = (dataclasses.replace(card.inputs[0], name=name, normalisation=rule) for name, rule in zip(names, rules))
    return dataclasses.replace(card, inputs=tuple(inputs), localiser=None, window=WINDOW)


def a_scan(direction: tuple[float, ...] = AS_IT_IS, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Volume:
    array = (np.random.default_rng(3).normal(0, 200, size=(44, 40, 36))).astype(np.int16)
    return Volume(array, Grid(array.shape, spacing, direction=direction), Modality.MR)


def a_region(grid: Grid, *, mirrored: bool = False) -> LocalisedRegion:
    return LocalisedRegion("whole volume", grid, mirrored, ((1, 1),))


def all_windows(source: PreparedWindows) -> dict:
    starts = window_starts(source.shape[1:], WINDOW, overlap=0.5)
    return {start: source.cut(start, WINDOW, fill=-3.0) for start in starts}


def assert_same_windows(case: InputScans, region: LocalisedRegion, card: ModelCard, *, within: float = 0.0) -> None:
    image = prepare_region(case, region, card)
    source = PreparedWindows(case, region, card, reporter=SilentReporter())
    assert source.shape == image.shape
    for start, cut in all_windows(source).items():
        expected = cut_window(image, start, WINDOW, fill=-3.0)
        if within:
            np.testing.assert_allclose(cut, expected, atol=within)
        else:
            np.testing.assert_array_equal(cut, expected)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("direction", [AS_IT_IS, UPSIDE_DOWN, PERMUTED])
@pytest.mark.parametrize("rule", RULES)
def test_where_nothing_is_resampled_they_are_the_same_bits(rule, direction, mirrored):
    scan = a_scan(direction)
    region = a_region(canonical_grid(scan.grid), mirrored=mirrored)
    assert_same_windows(InputScans({"T1": scan}), region, a_card(rule))


def test_so_are_those_of_a_region_that_reaches_beyond_the_scan():
    scan = a_scan()
    region = a_region(scan.grid.crop(Box((-6, 10, -5), (30, 52, 20))))
    assert_same_windows(InputScans({"T1": scan}), region, a_card(RULES[1]))


@pytest.mark.parametrize("direction", [AS_IT_IS, UPSIDE_DOWN, PERMUTED])
@pytest.mark.parametrize("spacing", [(0.7, 1.3, 0.9), (0.4, 0.4, 0.4)])
@pytest.mark.parametrize("rule", RULES[:2])
def test_resampled_they_are_the_same_to_a_hundred_thousandth(rule, spacing, direction):
    scan = a_scan(direction, spacing)
    region = a_region(canonical_grid(scan.grid, spacing_mm=(1.0, 1.0, 1.0)))
    assert_same_windows(InputScans({"T1": scan}), region, a_card(rule), within=2e-5)


def test_an_oblique_region_is_prepared_ahead_too():
    scan = a_scan()
    turned = Grid((30, 24, 20), (1.1, 1.0, 0.9), (4.0, 4.0, 4.0), (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0))
    assert_same_windows(InputScans({"T1": scan}), a_region(turned), a_card(RULES[0]), within=2e-5)


def test_each_of_several_inputs_comes_from_its_own_scan_and_a_missing_one_is_zero():
    first, second = a_scan(), a_scan(UPSIDE_DOWN)
    region = a_region(canonical_grid(first.grid))
    case = InputScans({"T1": first, "FLAIR": dataclasses.replace(second, grid=first.grid)})
    assert_same_windows(case, region, a_card(RULES[0], RULES[1], RULES[3]))


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("direction", [AS_IT_IS, UPSIDE_DOWN])
def test_a_scan_that_stays_in_its_file_gives_the_same(tmp_path, ending, direction):
    scan = a_scan(direction)
    write_volume(tmp_path / f"scan{ending}", scan)
    stored = on_disk(open_planes(tmp_path / f"scan{ending}"))
    region, card = a_region(canonical_grid(scan.grid)), a_card(RULES[1])
    image = prepare_region(InputScans({"T1": scan}), region, card)
    source = PreparedWindows(InputScans({"T1": stored}), region, card, reporter=SilentReporter())
    for start, cut in all_windows(source).items():
        np.testing.assert_array_equal(cut, cut_window(image, start, WINDOW, fill=-3.0))


def test_beyond_a_ct_is_air():
    scan = dataclasses.replace(a_scan(), modality=Modality.CT, unit=Unit.HOUNSFIELD)
    card = a_card(Normalisation("none"))
    card = dataclasses.replace(
        card, inputs=(dataclasses.replace(card.inputs[0], modality=Modality.CT, unit=Unit.HOUNSFIELD),)
    )
    region = a_region(scan.grid.crop(Box((-20, 0, 0), (4, 40, 36))))
    cut = PreparedWindows(InputScans({"T1": scan}), region, card, reporter=SilentReporter()).cut((0, 0, 0), WINDOW)
    assert (cut == -1000).all()


def test_only_planes_under_the_windows_are_kept():
    scan = a_scan()
    source = PreparedWindows(InputScans({"T1": scan}), a_region(scan.grid), a_card(RULES[0]), reporter=SilentReporter())
    for start in window_starts(scan.grid.shape, WINDOW, overlap=0.5):
        source.cut(start, WINDOW)
        assert len(source._planes) <= WINDOW[0] + 5


def test_a_window_that_lies_further_back_is_prepared_again():
    scan = a_scan()
    source = PreparedWindows(InputScans({"T1": scan}), a_region(scan.grid), a_card(RULES[0]), reporter=SilentReporter())
    first = source.cut((0, 0, 0), WINDOW)
    source.cut((28, 0, 0), WINDOW)
    np.testing.assert_array_equal(source.cut((0, 0, 0), WINDOW), first)


def test_voxels_that_are_no_numbers_are_refused():
    scan = a_scan()
    broken = scan.with_array(scan.array.astype(np.float32))
    broken.array[30, 5, 5] = np.nan
    region, case = a_region(scan.grid), InputScans({"T1": broken})
    with pytest.raises(InputError, match="not numbers"):
        PreparedWindows(case, region, a_card(RULES[1]), reporter=SilentReporter())
    fixed_values = PreparedWindows(case, region, a_card(RULES[0]), reporter=SilentReporter())
    fixed_values.cut((0, 0, 0), WINDOW)
    with pytest.raises(InputError, match="not numbers"):
        fixed_values.cut((20, 0, 0), WINDOW)


def test_measuring_can_be_cancelled():
    class Impatient(SilentReporter):
        def cancelled(self) -> bool:
            return True

    scan = a_scan()
    with pytest.raises(Cancelled):
        PreparedWindows(InputScans({"T1": scan}), a_region(scan.grid), a_card(RULES[1]), reporter=Impatient())


def test_an_image_in_memory_is_cut_as_it_is():
    image = np.random.default_rng(0).normal(size=(2, 20, 14, 22)).astype(np.float32)
    source = ArrayWindows(image)
    assert source.shape == image.shape
    np.testing.assert_array_equal(source.cut((4, 2, 2), WINDOW), image[:, 4:20, 2:14, 2:22])
