"""The picture of a step: planes and histograms before and after in the same places, and the sentence."""

from __future__ import annotations

import sys

import matplotlib.image
import numpy as np
import pytest

from MedSegAI.Logic.errors import DependencyError, StorageError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.report.before_after import before_after_figure
from MedSegAI.Logic.report.display_window import DisplayWindow
from MedSegAI.Logic.report.plane_drawing import write_figure
from MedSegAI.Logic.standardise.step import Standardised
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

SHAPE = (20, 24, 28)


def a_scan(unit=Unit.ARBITRARY, shape=SHAPE, dtype=np.int16):
    array = (np.indices(shape).sum(0) * 10).astype(dtype)
    return Volume(array, Grid(shape, (2.0, 2.0, 3.0), (5.0, -10.0, 20.0)), Modality.UNKNOWN, unit, "scan")


def doubled(scan, *, sentence="Doubled.", extras=()):
    record = StepRecord("double", sentence)
    after = scan.after(record, scan.array.astype(np.float32) * 2)
    return Standardised(after, extras={name: scan.with_array(scan.array / 100) for name in extras})


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def pictures(figure):
    return [axes.images[0] for axes in figure.axes if axes.images]


def test_three_planes_and_a_histogram_before_and_after():
    figure = before_after_figure(a_scan(), doubled(a_scan()))
    assert [title.partition(",")[0].partition("  ")[0] for title in titles(figure)] == [
        "Before", "coronal", "sagittal", "Before: voxels by value",
        "After", "coronal", "sagittal", "After: voxels by value",
    ]  # fmt: skip
    before, after = pictures(figure)[0].get_array(), pictures(figure)[3].get_array()
    inside = np.s_[150:190, 150:190]
    np.testing.assert_allclose(after[inside], 2 * before[inside], rtol=1e-5)


def test_each_is_shown_in_its_own_window_where_the_unit_is_not_known():
    before, after = (picture.get_clim() for picture in pictures(before_after_figure(a_scan(), doubled(a_scan())))[::3])
    np.testing.assert_allclose(after, np.multiply(2, before))


def test_scans_of_one_unit_share_window_and_histogram():
    scan = a_scan(Unit.HOUNSFIELD)
    figure = before_after_figure(scan, doubled(scan))
    assert {picture.get_clim() for picture in pictures(figure)} == {(-160.0, 240.0)}
    first, second = figure.axes[3], figure.axes[7]
    assert first.get_xlim() == second.get_xlim()
    assert len(first.patches) == 1 and len(second.patches) == 2
    assert "(HU)" in titles(figure)[3]


def test_a_window_may_be_chosen():
    figure = before_after_figure(a_scan(), doubled(a_scan()), window=DisplayWindow(0, 7))
    assert {picture.get_clim() for picture in pictures(figure)} == {(0, 7)}


def test_uptake_is_shown_dark():
    scan = a_scan(Unit.ACTIVITY)
    assert {picture.get_cmap().name for picture in pictures(before_after_figure(scan, doubled(scan)))} == {"gray_r"}


def test_suv_is_shown_as_the_activity_it_was_made_of():
    scan = a_scan(Unit.ACTIVITY)
    suv = Standardised(scan.after(StepRecord("suv", "SUV."), scan.array * 0.01, unit=Unit.SUV_BODY_WEIGHT))
    before, after = (picture.get_clim() for picture in pictures(before_after_figure(scan, suv))[::3])
    np.testing.assert_allclose(before, np.multiply(100, after))


def test_what_a_step_found_beside_is_a_row_in_colours():
    figure = before_after_figure(a_scan(), doubled(a_scan(), extras=["log_bias_field"]))
    assert len(pictures(figure)) == 9
    assert titles(figure)[8].startswith("Log bias field, axial")
    assert pictures(figure)[-1].get_cmap().name == "viridis"


def test_whole_numbers_leave_no_gaps_in_the_histogram():
    array = np.resize(np.arange(110), SHAPE).astype(np.uint8)
    scan = a_scan().with_array(array)
    for axes in before_after_figure(scan, doubled(scan)).axes[3::4]:
        counts = axes.patches[0].get_data().values
        assert counts.min() > 0.5


def test_a_scan_of_fractions_has_even_bins():
    scan = a_scan(dtype=np.float32)
    assert len(before_after_figure(scan, doubled(scan)).axes[3].patches[0].get_data().values) == 100


def test_a_single_slice_is_drawn_in_its_own_plane_only():
    scan = a_scan(shape=(1, 24, 28))
    figure = before_after_figure(scan, doubled(scan))
    assert [title.split(" ")[0] for title in titles(figure)[:2]] == ["Before,", "Before:"]
    assert len(pictures(figure)) == 2


def test_the_planes_go_through_the_focus():
    figure = before_after_figure(a_scan(), doubled(a_scan()), focus=(20.0, -3.0, 41.0))
    assert titles(figure)[:3] == ["Before, axial  S 41.0 mm", "coronal  A 3.0 mm", "sagittal  L 20.0 mm"]


def test_all_that_was_done_is_said_and_long_sentences_are_wrapped():
    long = "Much was found. " * 30
    scan = a_scan()
    earlier = scan.after(StepRecord("earlier", "Of another day."), scan.array)
    texts = [text.get_text() for text in before_after_figure(earlier, doubled(earlier, sentence=long)).texts]
    assert texts[0] == "scan: double"
    assert sum("Much was found." in text for text in texts) == 3
    assert not any("Of another day." in text for text in texts)
    assert before_after_figure(scan, doubled(scan), title="Mine").texts[0].get_text() == "Mine"


def test_the_picture_is_written_whole_or_not_at_all(tmp_path):
    figure = before_after_figure(a_scan(), doubled(a_scan()))
    path = write_figure(tmp_path / "picture.png", figure)
    assert matplotlib.image.imread(path).shape[1] == round(13.2 * 110)
    with pytest.raises(StorageError):
        write_figure(tmp_path / "gone" / "picture.png", figure)


def test_matplotlib_missing_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DependencyError, match="Figures need matplotlib"):
        before_after_figure(a_scan(), doubled(a_scan()))
