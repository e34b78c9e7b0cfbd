"""A whole volume, window by window."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.bench.contestants import (
    MONAI,
    MONAI_AUTOCAST,
    MONAI_FLASH,
    NO_MONAI,
    TORCH,
    as_array,
    is_installed,
    labels_parity,
    monai_networks,
    open_engines,
    ours,
    smooth_image,
    untrained_model,
)
from MedSegAI.Logic.bench.measure import Answers, Case, Conditions, Contest, Figure, Parity, Target, Unit
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.localise.atlas import icbm152_t1
from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import EngineChoice
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.standardise.resample import canonical_grid, resample

if TYPE_CHECKING:
    import torch

    from MedSegAI.Logic.inference.engines.engine import Engine

NNUNET = "nnU-Net's predictor"
NO_NNUNET = "not installed: pip install nnunetv2"
_CLASSES = 3
SHIPPED = "hippocampus-mr"
_OVERLAP = 0.5
_LARGEST_DIFFERENCE_OF_DICE = 0.005


@dataclass(frozen=True)
class _Volume:
    """A feature size and random weights, or the shipped hippocampus model on a real head."""

    feature_size: int | None
    shape: tuple[int, int, int]
    window: tuple[int, int, int]


class WholeVolume:
    """Ours in each engine beside MONAI's ``sliding_window_inference`` and nnU-Net's predictor."""

    name = "whole-volume"
    title = "Whole volume"
    compares = (
        "Labels of a volume, windows overlapping by half with Gaussian weights, against MONAI's "
        "`sliding_window_inference` with its network as it comes; same weights, same windows. The weights are random, "
        "but for the shipped model's, which sees the head that nilearn carries. nnU-Net's predictor has MONAI's "
        "network, too, without mirroring."
    )
    unit = Unit.CPU_SECONDS
    uses_network = True

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """Two sizes of network; the extents are those for which all three place their windows alike."""
        if conditions.quick:
            return (_case(_Volume(12, (64, 32, 48), (64, 32, 32)), ()),)
        quickest = ours(EngineChoice.OPENVINO)
        return (
            _case(_Volume(12, (144, 144, 144), (96,) * 3), (Target(quickest, Figure.TIMES_FASTER, 6.0),)),
            _case(_Volume(48, (96, 144, 144), (96,) * 3), (Target(quickest, Figure.TIMES_FASTER, 3.0),)),
            _case(_Volume(None, (64, 128, 64), (32, 64, 32)), ()),
        )

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        volume: _Volume = case.about
        with opened(volume.feature_size, volume.shape, volume.window) as (model, image):
            mine, theirs = open_engines(model, conditions), monai_networks(model, conditions)
            actions = {
                name: lambda network=network: by_monai(image, network, window=volume.window, overlap=_OVERLAP)
                for name, network in theirs.items()
            }
            if theirs and conditions.on_gpu:
                options = {"window": volume.window, "overlap": _OVERLAP, "half": True}
                actions[MONAI_AUTOCAST] = lambda: by_monai(image, theirs[MONAI_FLASH], **options)
            absent = dict(mine.absent) if theirs else {MONAI: NO_MONAI, **mine.absent}
            if theirs and is_installed("nnunetv2"):
                actions[NNUNET] = by_nnunet(image, theirs[MONAI], volume.window, conditions)
            else:
                absent[NNUNET] = NO_NNUNET if theirs else NO_MONAI
            for name, engine in mine.ready.items():
                actions[name] = lambda engine=engine: by_ours(image, engine, window=volume.window, overlap=_OVERLAP)
            yield Contest(
                reference=MONAI,
                actions=actions,
                ours=frozenset({*mine.ready, *mine.absent}),
                parity=lambda answers: _parity(answers, conditions),
                absent=absent,
            )


def by_ours(
    image: np.ndarray,
    engine: Engine,
    *,
    window: tuple[int, int, int],
    overlap: float,
    classes: int = _CLASSES,
    normalise: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Labels (k, j, i) uint8 of an image (1, k, j, i) by the streaming window."""
    from MedSegAI.Logic.inference.sliding_window import segment_array

    options = {"window": window, "overlap": overlap, "classes": classes, "normalise": normalise}
    return segment_array(image, engine, reporter=SilentReporter(), **options).labels


def by_monai(
    image: np.ndarray, network: torch.nn.Module, *, window: tuple[int, int, int], overlap: float, half: bool = False
) -> np.ndarray:
    """Labels (k, j, i) uint8 of an image (1, k, j, i) as MONAI's users get them; ``half`` computes in float16."""
    import torch
    from monai.inferers import sliding_window_inference

    device = next(network.parameters()).device
    with torch.inference_mode(), torch.autocast(device.type, dtype=torch.float16, enabled=half):
        given = torch.from_numpy(image)[None].to(device)
        logits = sliding_window_inference(given, window, 1, network, overlap, mode="gaussian")
        return logits.argmax(1)[0].to(torch.uint8).cpu().numpy()


def by_nnunet(
    image: np.ndarray, network: torch.nn.Module, window: tuple[int, int, int], conditions: Conditions
) -> Callable[[], np.ndarray]:
    """What gives the labels (k, j, i) uint8 of an image (1, k, j, i) by nnU-Net's own predictor with this network."""
    import torch

    # Its predictor prints what it thinks of the CPU.
    with contextlib.redirect_stdout(io.StringIO()):
        from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

        device = torch.device(conditions.device.value)
        predictor = nnUNetPredictor(1 - _OVERLAP, use_mirroring=False, device=device, allow_tqdm=False)
    predictor.network, predictor.list_of_parameters = network, [network.state_dict()]
    predictor.configuration_manager = SimpleNamespace(patch_size=list(window))
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=_CLASSES)

    def work() -> np.ndarray:
        with torch.inference_mode(), contextlib.redirect_stdout(io.StringIO()):
            logits = predictor.predict_sliding_window_return_logits(torch.from_numpy(image))
        return as_array(logits.argmax(0)).astype(np.uint8)

    return work


def _case(volume: _Volume, targets: tuple[Target, ...]) -> Case:
    extent, window = (" x ".join(map(str, one)) for one in (volume.shape, volume.window))
    network = SHIPPED if volume.feature_size is None else f"feature size {volume.feature_size}"
    name = f"{network}, {extent}, windows of {window}"
    return Case(name, volume, targets, most_rounds=3)


@contextmanager
def opened(
    feature_size: int | None, shape: tuple[int, int, int], window: tuple[int, int, int]
) -> Iterator[tuple[Model, np.ndarray]]:
    """A network of this feature size with random weights, or (None) the shipped model, and what it is shown.

    The image is (1, k, j, i) float32, of the given shape.
    """
    if feature_size is None:
        model = find_model(SHIPPED)
        yield model, part_of_a_head(model, shape)
        return
    with untrained_model(feature_size=feature_size, classes=_CLASSES, window=window) as model:
        yield model, smooth_image(shape)


def part_of_a_head(model: Model, shape: tuple[int, int, int]) -> np.ndarray:
    """(1, k, j, i) float32 around the left hippocampus of the ICBM152 head, as the model wants it.

    Raises:
        DependencyError: if nilearn, which carries the head, is missing.
    """
    head = icbm152_t1()
    grid = canonical_grid(head.grid, spacing_mm=model.card.spacing_mm)
    # Of MNI space, in LPS.
    middle = grid.kji_of(np.array([26.0, 21.0, -13.0]))
    start = tuple(round(float(m)) - n // 2 for m, n in zip(middle, shape))
    place = grid.crop(Box(start, tuple(a + n for a, n in zip(start, shape))))
    return normalise(resample(head, place).array, model.card.inputs[0].normalisation)[None]


def _parity(answers: Answers, conditions: Conditions) -> dict[str, tuple[Parity, ...]]:
    expected = answers.get(MONAI, answers.get(TORCH))
    if expected is None:
        return {}
    # nnU-Net adds up in half precision, and an 8-bit network of random weights says nothing about a trained one.
    unbound = {NNUNET, ours(EngineChoice.OPENVINO_INT8)}
    # On a GPU ours computes in half precision.
    exact = {MONAI_FLASH, *(() if conditions.on_gpu else (TORCH,))}
    return {
        name: labels_parity(
            found,
            expected,
            limit=None if name in unbound else 1e-4 if name in exact else _LARGEST_DIFFERENCE_OF_DICE,
        )
        for name, found in answers.items()
        if found is not expected
    }
