"""A reviewed case through the model: how good its labels are, and the logits where it matters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.recalibrate.reference_labels import ReferenceLabels
from MedSegAI.Logic.recalibrate.reviewed_cases import ReviewedCase
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings

NEAR_VOXELS = 2
"""A voxel of model space counts if it lies this near to a structure that the experts drew..."""
LEAST_PROBABILITY = 0.02
"""...or if the network gives some label at least this probability against the background alone."""
LEAST_LOG_ODDS = math.log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY))
MOST_VOXELS = 400_000
"""Of more voxels than this in a case, so many are drawn at random."""


@dataclass(frozen=True, eq=False)
class CaseLogits:
    """What the network said of one case, in model space.

    All voxels that were left out are background to the experts, and to the network by far.

    Args:
        case: Its name.
        logits: (n, classes) float32, before any calibration.
        truth: (n,) uint8, the class that the experts say, by the network's own values.
        dice: Dice of each of the network's labels by its key, on the scan's own grid, decided as the card says now;
            a label that is on several sides of the scan counts once, by their mean. Labels that neither the experts
            nor the network have in this case are left out.
    """

    case: str
    logits: np.ndarray
    truth: np.ndarray
    dice: dict[str, float]


def case_logits(case: ReviewedCase, model: Model, *, engine: Engine, settings: RunSettings) -> CaseLogits:
    """Segment a reviewed case by the path that every scan takes, and keep its logits near the structures.

    Raises:
        InputError: if the scan cannot be read, does not fit the model or does not lie on the reviewed grid, or the
            experts' labels have none of the model's structures, or neither they nor the network find any of them.
        RegionError: if the structure is not found in the scan.
    """
    volume = read_volume(case.scan)
    if not volume.grid.same_frame(case.corrections[0].entry.grid):
        raise InputError(
            f"The scan '{case.scan}' does not lie on the grid of the case '{case.name}'.",
            advice="Leave the case out, or name the scan that was corrected.",
        )
    reference = case.reference()
    keeper = _Keeper(ReferenceLabels(reference, model))
    result = segment(
        volume, model, settings=settings, reporter=SilentReporter(), engine=engine, watch=keeper.watch_region
    )
    logits, truth = keeper.kept(seed=case.time.toordinal())
    if not len(truth):
        raise InputError(
            f"Neither the reviewers nor '{model.card.name}' find a structure in it, so nothing can be measured.",
            advice="Leave the case out.",
        )
    return CaseLogits(case.name, logits, truth, _dice_by_key(result, keeper, model))


@dataclass(eq=False)
class _Keeper:
    """Gathers logits and the experts' classes, region by region."""

    reference: ReferenceLabels
    regions: list[LocalisedRegion] = field(default_factory=list)
    logits: list[np.ndarray] = field(default_factory=list)
    truth: list[np.ndarray] = field(default_factory=list)

    def watch_region(self, region: LocalisedRegion) -> Callable[[int, np.ndarray], None]:
        """Says which voxels of each plane of this region are kept."""
        from scipy.ndimage import binary_dilation

        self.regions.append(region)
        truth = self.reference.in_region(region)
        near = binary_dilation(truth > 0, iterations=NEAR_VOXELS)

        def keep(k: int, logits: np.ndarray) -> None:
            wanted = near[k] | (logits[1:].max(axis=0) - logits[0] >= LEAST_LOG_ODDS)
            self.logits.append(logits[:, wanted].T.astype(np.float32))
            self.truth.append(truth[k][wanted])

        return keep

    def kept(self, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
        logits, truth = np.concatenate(self.logits), np.concatenate(self.truth)
        if len(truth) <= MOST_VOXELS:
            return logits, truth
        chosen = np.random.default_rng(seed).choice(len(truth), MOST_VOXELS, replace=False)
        return logits[chosen], truth[chosen]


def _dice_by_key(result: SegmentationResult, keeper: _Keeper, model: Model) -> dict[str, float]:
    reference = keeper.reference.on_scan(result.table)
    scores: dict[str, list[float]] = {}
    for region in keeper.regions:
        for network_value, value in region.labels:
            found, drawn = result.labels.array == value, reference == value
            if found.any() or drawn.any():
                scores.setdefault(model.card.labels.find(network_value).key, []).append(dice(found, drawn))
    return {key: float(np.mean(values)) for key, values in scores.items()}
