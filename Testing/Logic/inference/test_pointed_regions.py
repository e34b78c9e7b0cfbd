"""A model that segments what is pointed at: what it is shown, what it keeps, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError, RegionError
from MedSegAI.Logic.explain.explain import explain
from MedSegAI.Logic.inference.engines.open import open_torch_engine
from MedSegAI.Logic.inference.pointed_regions import AIR_HU, is_cut, numbered_labels, pointed_regions, scans_near
from MedSegAI.Logic.inference.prepare_region import prepare_region
from MedSegAI.Logic.inference.scans import scans_for
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.localise.points import middle_of
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import ConfidenceChoice, DeviceChoice, RunSettings
from MedSegAI.Logic.volume import Volume
from Testing.pointed_model import a_chest, install_pointed_model, pointed_card

FIRST, SECOND, AT_THE_TOP = (10.0, 5.0, 3.0), (-20.0, -10.0, -8.0), (0.0, -25.0, 29.0)
CHEST = a_chest((FIRST, 6.0), (SECOND, 4.0), (AT_THE_TOP, 5.0))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return install_pointed_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def engine(model):
    return open_torch_engine(model, device=DeviceChoice.CPU, reporter=SilentReporter())


def run(model, engine, *points, scan=CHEST, notes=None, **settings):
    settings = RunSettings(points=points, device="cpu", **settings)
    return segment(scan, model, settings=settings, reporter=notes or SilentReporter(), engine=engine)


def a_ball_on(scan: Volume, centre, radius) -> np.ndarray:
    places = scan.grid.lps_of(np.stack(np.meshgrid(*map(np.arange, scan.grid.shape), indexing="ij"), axis=-1))
    return np.linalg.norm(places - np.array(centre) * (-1, -1, 1), axis=-1) <= radius


def test_only_what_was_pointed_at_is_segmented_and_called_by_its_number(model, engine):
    result = run(model, engine, FIRST, confidence=ConfidenceChoice.PER_LABEL)
    (label,) = result.table
    assert (label.value, label.key, label.name) == (1, "lung_nodule_1", "Lung nodule 1")
    np.testing.assert_array_equal(result.labels.array == 1, a_ball_on(CHEST, FIRST, 6.0))
    assert 0.9 < result.label_confidence["lung_nodule_1"] <= 1.0


def test_each_point_is_a_segment_of_its_own(model, engine):
    result = run(model, engine, FIRST, SECOND)
    assert [label.name for label in result.table] == ["Lung nodule 1", "Lung nodule 2"]
    np.testing.assert_array_equal(result.labels.array == 2, a_ball_on(CHEST, SECOND, 4.0))
    assert len({label.colour for label in result.table}) == 2


def test_a_click_that_misses_by_less_than_a_centimetre_still_means_the_nodule(model, engine):
    result = run(model, engine, (SECOND[0] - 11.0, SECOND[1], SECOND[2]))
    assert np.count_nonzero(result.labels.array) == a_ball_on(CHEST, SECOND, 4.0).sum()


def test_where_nothing_lies_near_the_point_a_sentence_says_so(model, engine):
    with pytest.raises(RegionError, match=r"No lung nodule was found at 31\.0, 20\.0, 0\.0 .* 10 mm"):
        run(model, engine, (31.0, 20.0, 0.0))


def test_a_point_with_nothing_does_not_spoil_the_others(model, engine):
    notes = SilentReporter()
    result = run(model, engine, (31.0, 20.0, 0.0), FIRST, notes=notes)
    assert set(np.unique(result.labels.array)) == {0, 2}
    assert any("No lung nodule was found at 31.0" in text for text in notes.messages)


def test_lung_that_a_network_outlined_because_somebody_pointed_there_is_no_nodule(tmp_path):
    """A network that calls everything around the point a nodule: in lung that is refused, in a nodule it is not."""
    eager = install_pointed_model(tmp_path, threshold=-5.0)
    engine = open_torch_engine(eager, device=DeviceChoice.CPU, reporter=SilentReporter())
    with pytest.raises(RegionError, match=r"outlined at 10\.0, 25\.0, 0\.0 .* as light as lung \(mean -8\d\d HU\)"):
        run(eager, engine, (10.0, 25.0, 0.0), scan=a_chest())
    wall = run(eager, engine, (0.0, 50.0, 0.0), scan=a_chest())
    assert wall.labels.array.any()


def test_two_points_on_one_nodule_do_not_take_it_from_each_other(model, engine):
    notes = SilentReporter()
    result = run(model, engine, FIRST, (FIRST[0] + 3.0, FIRST[1], FIRST[2]), notes=notes)
    assert (result.labels.array == 1).sum() == a_ball_on(CHEST, FIRST, 6.0).sum()
    assert notes.messages[-1] == "What lies at 13.0, 5.0, 3.0 (R, A, S) is lung nodule 1 already."


def test_the_point_lies_in_the_middle_of_what_the_network_is_shown():
    case, card = scans_for(CHEST, pointed_card()), pointed_card()
    point = (10.3, 5.25, 2.6)
    (region,) = pointed_regions(case, card, [point])
    assert region.grid.shape == (64, 32, 32)
    assert region.grid.lps_of(np.array(middle_of(region.grid))) == pytest.approx((-10.3, -5.25, 2.6))


def test_beyond_the_scan_the_network_sees_air_not_the_scans_darkest_value():
    """A scanner's marker for what it did not measure (-3024) is no reason to show the network anything but air."""
    dark = CHEST.with_array(CHEST.array.copy())
    dark.array[:3] = -3024
    case, card = scans_for(dark, pointed_card()), pointed_card()
    (region,) = pointed_regions(case, card, [AT_THE_TOP])
    image = prepare_region(case, region, card)[0]
    assert region.grid.corners_lps()[:, 2].max() > dark.grid.corners_lps()[:, 2].max() + 20
    assert (image[-20:] == 0).all(), "0 is what -1000 HU becomes"
    assert AIR_HU == -1000


def test_a_nodule_at_the_scans_edge_is_said_to_be_cut(model, engine):
    notes = SilentReporter()
    result = run(model, engine, AT_THE_TOP, notes=notes)
    assert any("Lung nodule 1 reaches the edge" in text for text in notes.messages)
    assert is_cut(result.labels, 1, result.provenance.regions[0])
    whole = run(model, engine, FIRST)
    assert not is_cut(whole.labels, 1, whole.provenance.regions[0])


@pytest.mark.parametrize(
    ("point", "sentence"),
    [((75.0, 0.0, 0.0), "outside 'chest'"), ((0.0, 0.0, 75.0), "outside 'chest'")],
)
def test_a_point_outside_the_scan_is_refused(model, engine, point, sentence):
    with pytest.raises(RegionError, match=sentence):
        run(model, engine, point)


def test_a_point_in_the_air_beside_the_patient_is_refused(model, engine):
    wide = a_chest((FIRST, 6.0), shape=(40, 120, 120))
    wide.array[:, :30] = AIR_HU
    with pytest.raises(RegionError, match=r"only air within 10 mm .*outside the body"):
        run(model, engine, (0.0, 50.0, 0.0), scan=wide)


def test_without_a_point_it_does_not_look_for_anything(model, engine):
    with pytest.raises(RegionError, match="segments what is pointed at; it does not look for anything"):
        run(model, engine)
    with pytest.raises(RegionError, match="segments what is pointed at"):
        run(model, engine, region="0:50,0:50,0:50")


def test_a_region_and_points_exclude_each_other():
    with pytest.raises(InputError, match="both given"):
        RunSettings(region="0:5,0:5,0:5", points=((0.0, 0.0, 0.0),))
    with pytest.raises(InputError, match="not usable"):
        RunSettings(points=((0.0, 0.0),))


def test_settings_with_points_survive_as_plain_values():
    settings = RunSettings(points=((1.0, 2.5, -3.0), (0.0, 0.0, 0.0)))
    assert RunSettings(**settings.to_plain()) == settings


@pytest.mark.parametrize("point", [FIRST, AT_THE_TOP])
def test_a_cut_around_the_point_shows_the_network_the_same(point):
    case, card = scans_for(CHEST, pointed_card()), pointed_card()
    near = scans_near(case, card, point)
    assert near.on.grid.voxel_count < CHEST.grid.voxel_count
    assert np.shares_memory(near.on.array, CHEST.array)
    for one, other in zip(pointed_regions(case, card, [point]), pointed_regions(near, card, [point])):
        assert one.grid.same_frame(other.grid)
        np.testing.assert_allclose(prepare_region(case, one, card), prepare_region(near, other, card), atol=1e-6)


def test_labels_of_many_points_keep_their_code_and_get_colours_of_their_own():
    table = numbered_labels(pointed_card(), 6)
    assert [label.value for label in table] == [1, 2, 3, 4, 5, 6]
    assert len({label.colour for label in table}) == 6
    assert {label.terminology for label in table} == {next(iter(pointed_card().labels)).terminology}


def test_the_heat_map_of_a_click_lies_in_its_box_and_peaks_at_the_nodule(model, engine):
    result = run(model, engine, FIRST, SECOND)
    options = {"layer": None, "settings": RunSettings(device="cpu"), "reporter": SilentReporter(), "engine": engine}
    heat = explain(CHEST, result, model, target="lung_nodule_2", **options)
    assert heat.array[a_ball_on(CHEST, SECOND, 3.0)].mean() > 0.5
    assert heat.array[np.abs(CHEST.grid.lps_of(np.indices(CHEST.grid.shape).T)[..., 0].T - 20) > 16.5].max() == 0
