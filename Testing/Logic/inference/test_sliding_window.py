"""The streaming sliding window gives MONAI's labels, exact confidence, and stops or refuses as it should."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import Cancelled, DeviceError, InputError, ModelError
from MedSegAI.Logic.inference.decision import largest_of
from MedSegAI.Logic.inference.plane_ring import Plane
from MedSegAI.Logic.inference.plane_sink import winning_probability
from MedSegAI.Logic.inference.sliding_window import segment_array
from MedSegAI.Logic.inference.windows import window_starts
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import ConfidenceChoice
from Testing.Logic.inference.fake_gpu import FAKE_GPU, fake_gpu

WINDOW = (16, 16, 16)
CLASSES = 4


def a_small_network(channels=1, classes=CLASSES):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv3d(channels, 6, 5, padding=2),
        torch.nn.InstanceNorm3d(6),
        torch.nn.Conv3d(6, classes, 3, padding=1),
    ).eval()


@dataclass
class PlainEngine:
    """A network on the CPU and nothing else."""

    network: torch.nn.Module = field(default_factory=a_small_network)
    name: str = "plain"
    fallbacks: tuple[str, ...] = ()
    device_name: str = "cpu"
    logits_device: str = "cpu"
    batches: list[int] = field(default_factory=list)

    def predict(self, windows):
        self.batches.append(len(windows))
        with torch.inference_mode():
            return self.network(torch.from_numpy(windows))

    def step_down(self):
        raise DeviceError("Nothing left to give up.")


@dataclass
class FunctionEngine(PlainEngine):
    """Logits as a function of the windows."""

    function: object = None

    def predict(self, windows):
        self.batches.append(len(windows))
        return self.function(windows)


@dataclass
class RecordingReporter(SilentReporter):
    steps: list[tuple[int, int, str]] = field(default_factory=list)
    stop_after: int | None = None

    def progress(self, done, total, stage):
        self.steps.append((done, total, stage))

    def cancelled(self):
        return self.stop_after is not None and len(self.steps) >= self.stop_after


def an_image(shape, channels=1):
    smooth = np.random.default_rng(1).normal(size=(channels, *(n // 4 + 1 for n in shape))).astype(np.float32)
    return np.kron(smooth, np.ones((1, 4, 4, 4), np.float32))[(slice(None), *(slice(n) for n in shape))].copy()


def segment(image, engine=None, **changes):
    options = {"window": WINDOW, "overlap": 0.5, "classes": CLASSES, "reporter": SilentReporter()} | changes
    return segment_array(image, engine or PlainEngine(), **options)


# Shapes and overlaps for which MONAI's steps are evenly spaced too, so that both use the same windows; the last two
# are smaller than the window along one axis or all.
SAME_WINDOWS = [
    ((40, 32, 24), 0.5),
    ((16, 40, 16), 0.5),
    ((32, 48, 16), 0.0),
    ((40, 28, 52), 0.25),
    ((11, 32, 24), 0.5),
    ((7, 9, 10), 0.5),
]


@pytest.mark.parametrize(("shape", "overlap"), SAME_WINDOWS)
def test_labels_and_confidence_are_those_of_monai(shape, overlap):
    monai = pytest.importorskip("monai.inferers")
    image, engine = an_image(shape), PlainEngine()
    with torch.inference_mode():
        logits = monai.sliding_window_inference(
            torch.from_numpy(image)[None], WINDOW, 1, engine.network, overlap=overlap, mode="gaussian"
        )[0]
    best_two = logits.topk(2, dim=0).values
    clear = (best_two[0] - best_two[1] > 1e-5).numpy()
    result = segment(image, engine, overlap=overlap, confidence=ConfidenceChoice.PER_VOXEL)
    np.testing.assert_array_equal(result.labels[clear], logits.argmax(0).numpy()[clear])
    assert clear.mean() > 0.999
    assert len(np.unique(result.labels)) == CLASSES
    np.testing.assert_allclose(result.confidence, logits.softmax(0).amax(0).numpy(), atol=1e-3)
    assert result.labels.dtype == np.uint8
    assert result.confidence.dtype == np.float16


@pytest.mark.parametrize("batch", [2, 3, 7])
def test_the_batch_changes_nothing(batch):
    image = an_image((40, 32, 24))
    alone, together = PlainEngine(), PlainEngine()
    expected = segment(image, alone)
    result = segment(image, together, batch=batch)
    np.testing.assert_array_equal(result.labels, expected.labels)
    assert max(together.batches) == batch
    assert sum(together.batches) == sum(alone.batches) == result.windows_run


def test_several_channels_and_integer_voxels_are_read_from_a_memory_map(tmp_path):
    image = (an_image((32, 16, 16), channels=2) * 100).astype(np.int16)
    np.save(tmp_path / "image.npy", image)
    engine = PlainEngine(a_small_network(channels=2))
    mapped = segment(np.load(tmp_path / "image.npy", mmap_mode="r"), engine, normalise=lambda cut: cut / 100)
    np.testing.assert_array_equal(mapped.labels, segment(image.astype(np.float32) / 100, engine).labels)


def test_labels_and_confidence_are_written_to_the_arrays_given(tmp_path):
    image = an_image((32, 16, 16))
    labels = np.lib.format.open_memmap(tmp_path / "labels.npy", mode="w+", dtype=np.uint8, shape=(32, 16, 16))
    confidence = np.full((32, 16, 16), -1, np.float16)
    result = segment(image, labels_out=labels, confidence=ConfidenceChoice.PER_VOXEL, confidence_out=confidence)
    assert result.labels is labels
    assert result.confidence is confidence
    assert confidence.min() > 0
    np.testing.assert_array_equal(labels, segment(image).labels)


def test_windows_of_pure_background_are_skipped_and_labelled_zero_with_full_confidence():
    image = np.full((1, 64, 16, 16), -1000.0, np.float32)
    image[:, 40:] = an_image((24, 16, 16))
    engine = PlainEngine()
    result = segment(image, engine, overlap=0.0, skip_below=-900, confidence=ConfidenceChoice.PER_VOXEL)
    assert (result.windows_run, result.windows_skipped) == (2, 2)
    assert (result.labels[:32] == 0).all()
    assert (result.confidence[:32] == 1).all()
    np.testing.assert_array_equal(result.labels[32:], segment(image, engine, overlap=0.0).labels[32:])


def test_probabilities_added_up_by_label_are_those_of_the_map_which_is_not_kept():
    image = an_image((40, 32, 24))
    table = LabelTable(tuple(Label(value, str(value), str(value), (1, 0, 0)) for value in range(1, CLASSES)))
    kept = segment(image, confidence=ConfidenceChoice.PER_VOXEL)
    added = segment(image, confidence=ConfidenceChoice.PER_LABEL)
    assert added.confidence is None
    means = added.probabilities.means(table)
    assert list(means) == ["1", "2", "3"]
    for key, mean in means.items():
        assert mean == pytest.approx(kept.confidence[kept.labels == int(key)].astype(float).mean(), abs=1e-3)
    np.testing.assert_array_equal(added.labels, kept.labels)


def test_an_empty_image_runs_no_window():
    engine = PlainEngine()
    result = segment(np.zeros((1, 40, 16, 16), np.float32), engine, skip_below=0, batch=2)
    assert engine.batches == []
    assert result.confidence is None
    assert not result.labels.any()


def test_padding_does_not_count_when_background_is_judged():
    image = np.full((1, 4, 4, 4), -1000.0, np.float32)
    assert segment(image, skip_below=-900, fill=0.0).windows_skipped == 1


def test_skipping_within_a_batch_keeps_windows_at_their_places():
    image = an_image((96, 16, 16))
    image[:, 16:32] = -1000
    image[:, 48:64] = -1000
    alone = segment(image, overlap=0.0, skip_below=-900)
    together = segment(image, overlap=0.0, skip_below=-900, batch=3)
    np.testing.assert_array_equal(alone.labels, together.labels)
    assert together.windows_skipped == 2


def test_progress_counts_every_window_to_the_end():
    image, reporter = an_image((40, 32, 24)), RecordingReporter()
    segment(image, reporter=reporter, batch=4)
    total = len(window_starts((40, 32, 24), WINDOW, overlap=0.5))
    assert reporter.steps == [(n, total, "segmenting") for n in range(1, total + 1)]


def test_cancel_is_seen_between_windows():
    engine, reporter = PlainEngine(), RecordingReporter(stop_after=3)
    with pytest.raises(Cancelled):
        segment(an_image((40, 32, 24)), engine, reporter=reporter)
    assert len(engine.batches) == 3


def test_an_engine_may_give_numpy_arrays():
    by_numpy = FunctionEngine(function=lambda windows: np.concatenate([-windows, windows], axis=1))
    image = an_image((20, 20, 20))
    np.testing.assert_array_equal(segment(image, by_numpy, classes=2).labels, (image[0] > 0).astype(np.uint8))


def test_equal_logits_give_the_first_class():
    engine = FunctionEngine(function=lambda windows: torch.ones(len(windows), CLASSES, *WINDOW))
    assert not segment(an_image((20, 20, 20)), engine).labels.any()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_are_refused_with_the_place(bad):
    def function(windows):
        logits = torch.zeros(len(windows), CLASSES, *WINDOW)
        logits[-1, 1, 2, 3, 4] = bad
        return logits

    with pytest.raises(ModelError, match=r"logits .* \(0, 0, 16\)") as refused:
        segment(an_image((16, 16, 32)), FunctionEngine(function=function), overlap=0.0, batch=2)
    assert refused.value.advice


def test_an_image_with_nan_is_named_as_the_cause():
    image = an_image((16, 16, 16))
    image[0, 5, 5, 5] = np.nan
    with pytest.raises(InputError, match="image holds NaN"):
        segment(image)


def test_huge_but_finite_logits_are_accepted():
    engine = FunctionEngine(function=lambda windows: torch.full((len(windows), CLASSES, *WINDOW), 3e38))
    assert not segment(an_image((16, 16, 16)), engine).labels.any()


def test_logits_of_another_shape_than_the_card_promises_are_refused():
    with pytest.raises(ModelError, match="card promises"):
        segment(an_image((16, 16, 16)), classes=5)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"classes": 0}, ModelError),
        ({"classes": 257}, ModelError),
        ({"batch": 0}, InputError),
        ({"labels_out": np.zeros((3, 3, 3), np.uint8)}, InputError),
        ({"labels_out": np.zeros((16, 16, 16), np.int32)}, InputError),
    ],
)
def test_arguments_that_do_not_fit_are_refused(changes, error):
    with pytest.raises(error):
        segment(an_image((16, 16, 16)), **changes)


def test_an_image_without_channels_is_refused():
    with pytest.raises(InputError, match="3 axes"):
        segment(an_image((16, 16, 16))[0])


def test_labels_and_probabilities_of_a_plane_are_computed_where_its_logits_lie():
    with fake_gpu():
        plane = Plane(0, torch.zeros(CLASSES, 5, 6, device=FAKE_GPU), torch.ones(5, 6, device=FAKE_GPU))
        assert str(largest_of(plane.total).device) == FAKE_GPU
        assert str(winning_probability(plane).device) == FAKE_GPU


def test_memory_does_not_grow_with_the_depth_of_the_volume():
    import tracemalloc

    def peak(depth):
        image = np.broadcast_to(np.float32(1), (1, depth, 16, 16))
        labels = np.broadcast_to(np.uint8(0), (depth, 16, 16)).copy()
        tracemalloc.start()
        segment(image, labels_out=labels, overlap=0.0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(16)
    assert peak(480) < 1.5 * peak(48)
