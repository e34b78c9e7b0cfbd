"""The memory plan counts what a run really holds, speaks plainly and refuses what cannot fit."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest
import torch

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.free_memory import free_gpu_memory, free_memory
from MedSegAI.Logic.inference.plan import MemoryPlan, activation_bytes, is_prepared_ahead, plan_array, plan_memory
from MedSegAI.Logic.inference.plane_ring import PlaneRing
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from MedSegAI.Logic.settings import RunSettings

GIB = 2**30


def a_plan(**changes):
    options = {"window": (96, 96, 96), "overlap": 0.5, "channels": 1, "classes": 8, "activations": GIB}
    options |= {"settings": RunSettings(device="cpu")} | changes
    return plan_array((256, 512, 512), **options)


def test_every_part_is_counted_in_bytes():
    plan = a_plan()
    assert plan.labels == 256 * 512 * 512
    assert plan.planes == 96 * 8 * 512 * 512 * 4
    assert plan.network == GIB
    assert plan.windows == 5 * 10 * 10
    assert plan.image == 256 * 512 * 512 * 4
    assert plan.total == plan.image + plan.labels + plan.planes + plan.network


def test_the_planes_counted_are_those_the_ring_holds():
    ring = PlaneRing((40, 20, 30), (16, 16, 16), channels=3, keep_weights=True)
    settings = RunSettings(confidence="per-voxel")
    plan = plan_array(
        (40, 20, 30), window=(16, 16, 16), overlap=0.5, channels=1, classes=3, activations=0, settings=settings
    )
    assert plan.planes == ring.nbytes
    assert plan.confidence == 2 * 40 * 20 * 30


def test_confidence_per_label_takes_weights_in_the_planes_and_no_volume():
    plan, per_voxel = (a_plan(settings=RunSettings(confidence=choice)) for choice in ("per-label", "per-voxel"))
    assert plan.planes == per_voxel.planes > a_plan().planes
    assert plan.confidence == 0


def test_a_batch_multiplies_the_networks_share_but_not_beyond_the_windows():
    assert a_plan(settings=RunSettings(batch=4)).network == 4 * GIB
    one_window = plan_array(
        (8, 8, 8),
        window=(16, 16, 16),
        overlap=0.5,
        channels=1,
        classes=2,
        activations=10,
        settings=RunSettings(batch=4),
    )
    assert one_window.network == 10


def test_the_sentence_is_for_people():
    plan = MemoryPlan(GIB, GIB, GIB // 4, 0, GIB, GIB // 2, 96, 21 * GIB)
    assert plan.sentence() == (
        "Needs about 2.8 GiB of 21.0 GiB free memory: "
        "image 1.0 GiB, planes of logits 1.0 GiB, network 512 MiB, labels 256 MiB, not all at once; 96 windows."
    )
    assert (
        "free memory: labels and confidence 10 MiB, not all at once; 1 window."
        in MemoryPlan(0, 0, 0, GIB // 100, 0, 0, 1, GIB).sentence()
    )
    assert plan.refuse_or_tell() == (plan.sentence(),)


def test_a_run_that_cannot_fit_is_refused_with_advice():
    plan = MemoryPlan(0, 3 * GIB, GIB, 0, GIB, GIB, 9, 4 * GIB)
    with pytest.raises(DeviceError, match=r"does not suffice\. Needs about 6.0 GiB of 4.0 GiB") as refused:
        plan.refuse_or_tell()
    assert "region of interest" in refused.value.advice
    assert "2.0 GiB more" in refused.value.advice


def test_leaving_out_the_confidence_is_advised_where_that_would_do():
    with pytest.raises(DeviceError) as refused:
        MemoryPlan(0, GIB, GIB, 2 * GIB, 0, 0, 9, 3 * GIB).refuse_or_tell()
    assert "without the confidence" in refused.value.advice


def test_the_height_is_in_the_preparation_or_in_the_run_never_in_both():
    assert MemoryPlan(6 * GIB, GIB, GIB, 0, GIB, GIB, 9, 9 * GIB).total == 7 * GIB
    assert MemoryPlan(2 * GIB, GIB, GIB, 0, GIB, GIB, 9, 9 * GIB).total == 4 * GIB


def test_on_a_gpu_its_share_is_counted_apart():
    plan = MemoryPlan(0, GIB, GIB, 0, 2 * GIB, 3 * GIB, 9, 4 * GIB, gpu_free=8 * GIB)
    assert plan.total == 2 * GIB
    assert "2.0 GiB of 4.0 GiB free memory and 5.0 GiB of 8.0 GiB free on the GPU" in plan.sentence()


def test_a_gpu_too_small_is_told_and_its_share_counts_against_the_main_memory():
    plan = MemoryPlan(0, GIB, GIB, 0, 2 * GIB, 3 * GIB, 9, 16 * GIB, gpu_free=4 * GIB)
    assert plan.total == 7 * GIB
    assert "may fall back" in plan.refuse_or_tell()[1]
    with pytest.raises(DeviceError):
        replace(plan, free=6 * GIB).refuse_or_tell()


def test_several_regions_take_turns_so_the_largest_decides_and_all_windows_count(a_card):
    regions = [
        LocalisedRegion("small", Grid((32, 64, 32)), False, ()),
        LocalisedRegion("large", Grid((64, 64, 64)), True, ()),
    ]
    engine = EagerEngine(SwinUNETR(1, a_card.class_count, feature_size=12))
    together = plan_memory(regions, a_card, settings=RunSettings(), engine=engine)
    alone = plan_memory(regions[1:], a_card, settings=RunSettings(), engine=engine)
    assert together.total == alone.total
    assert together.windows == alone.windows + 1


def test_of_a_scan_that_is_resampled_what_lies_in_the_region_counts(a_card):
    """A small box in a large CT, such as that around a click, needs little memory however large the CT is."""
    region = [LocalisedRegion("left", Grid((32, 64, 32)), False, ())]
    options = {"settings": RunSettings(), "engine": EagerEngine(torch.nn.Identity())}
    fine, whole = Grid((300, 300, 300), (0.8, 0.8, 1.0)), [LocalisedRegion("all", Grid((300, 240, 240)), False, ())]
    alone, cut, resampled = (
        plan_memory(region, a_card, scans=scans, **options).preparation
        for scans in ((), (Grid((300, 300, 300)),), (fine,))
    )
    assert alone == cut == 24 * 32 * 64 * 32
    assert resampled == 24 * (32 + 1) * (64 / 0.8 + 1) * (32 / 0.8 + 1)
    assert plan_memory(whole, a_card, scans=(fine,), **options).preparation == 24 * 300**3


def test_a_large_region_is_planned_as_it_is_prepared_a_few_planes_ahead(a_card):
    """Nothing grows with the number of planes but labels that lie in memory, a byte a voxel."""
    card = replace(a_card, components="all", window=(96, 96, 96))
    options = {"settings": RunSettings(), "engine": EagerEngine(torch.nn.Identity()), "on_disk": True}

    def planned(planes, labels=0):
        grid = Grid((planes, 512, 512))
        region = [LocalisedRegion("whole volume", grid, False, ())]
        return plan_memory(region, card, scans=(grid,), labels=labels, **options)

    few, many = planned(200), planned(2000)
    assert many.total == few.total
    assert many.image < 300 * 2**20
    assert many.preparation == 0
    assert planned(2000, labels=2000 * 512 * 512).total == many.total + 2000 * 512 * 512


def test_what_is_prepared_ahead_depends_on_its_size_and_on_where_the_scan_is():
    small, large = Grid((100, 200, 200)), Grid((256, 512, 512))
    assert not is_prepared_ahead(small, channels=1, on_disk=False)
    assert is_prepared_ahead(small, channels=10, on_disk=False)
    assert is_prepared_ahead(small, channels=1, on_disk=True)
    assert is_prepared_ahead(large, channels=1, on_disk=False)


def test_where_components_are_dropped_in_the_end_all_labels_of_the_region_are_kept_until_then(a_card):
    region, options = [LocalisedRegion("", Grid((500, 64, 64)), False, ())], {"settings": RunSettings(), "labels": 0}
    kept = [
        plan_memory(region, replace(a_card, components=how), engine=EagerEngine(torch.nn.Identity()), **options).labels
        for how in ("all", "without-islands")
    ]
    assert kept == [a_card.window[0] * 64 * 64, 500 * 64 * 64]


@pytest.fixture
def a_card(repository_root):
    from MedSegAI.Logic.models.card import ModelCard

    path = repository_root / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
    return ModelCard.from_json(path.read_text(), source=str(path))


def test_many_classes_count():
    few = activation_bytes({"feature_size": 12}, (96, 96, 96), classes=14)
    assert activation_bytes({"feature_size": 12}, (96, 96, 96), classes=2) == few
    assert activation_bytes({"feature_size": 12}, (96, 96, 96), classes=200) > 2 * few


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_the_networks_share_is_what_a_real_forward_pass_takes(repository_root):
    script = repository_root / "Testing" / "Benchmarks" / "activation_memory.py"
    case = json.dumps([[64, 64, 64], 24, 4])
    done = subprocess.run([sys.executable, script, "--case", case], capture_output=True, text=True, check=True)
    measured = int(done.stdout)
    planned = activation_bytes({"feature_size": 24}, (64, 64, 64), classes=4)
    assert 0.6 < measured / planned < 1.5


def test_a_gpus_free_memory_includes_what_torch_keeps_for_reuse(monkeypatch):
    """The three figures are set by hand: there is no GPU here to ask."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5 * GIB, 8 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 2 * GIB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: GIB)
    assert free_gpu_memory("cuda:0") == 6 * GIB
    assert a_plan(device="cuda:0").gpu_free == 6 * GIB


def test_free_memory_is_the_systems():
    assert free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.2)


@pytest.mark.parametrize(("limit", "expected"), [(str(3 * GIB), 2.5 * GIB), (str(GIB // 2), 0), ("max", None)])
def test_a_containers_limit_counts_and_its_page_cache_does_not(tmp_path, limit, expected):
    (tmp_path / "memory.max").write_text(limit + "\n")
    (tmp_path / "memory.current").write_text(f"{GIB}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {GIB // 2}\n")
    system = psutil.virtual_memory().available
    wanted = system if expected is None else min(expected, system)
    assert free_memory(control_group=tmp_path) == pytest.approx(wanted, rel=0.2)
