"""Case folders of real hippocampi whose expert's labels stand for corrections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from MedSegAI.Logic.corrections.masks import import_mask, read_mask
from MedSegAI.Logic.corrections.record import Rater
from MedSegAI.Logic.corrections.scan_reference import scan_reference
from MedSegAI.Logic.files.decathlon import read_case
from MedSegAI.Logic.files.write import write_segmentation, write_volume
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, read_model
from MedSegAI.Logic.volume import Volume


def reviewed_crops(
    data: Path,
    folder: Path,
    names: Sequence[str],
    *,
    labels_of: Callable[[np.ndarray], np.ndarray] = lambda labels: labels,
    scan_of: Callable[[Volume, int], Volume] = lambda scan, _number: scan,
) -> list[Path]:
    """Make one case folder for each crop, under names that the model was not chosen on: patient-1, patient-2, ...

    Args:
        data: The Decathlon folder of the crops.
        folder: Scans, masks and cases go below it.
        names: The crops.
        labels_of: Changes what the expert drew, (k, j, i) uint8.
        scan_of: Changes a scan; is told its number as well.
    """
    table = read_model(SHIPPED_MODELS / "hippocampus-mr").card.labels
    (folder / "scans").mkdir(parents=True, exist_ok=True)
    folders = []
    for number, name in enumerate(names, start=1):
        volume, reference = read_case(data, name)
        scan = folder / "scans" / f"patient-{number}.nii.gz"
        write_volume(scan, scan_of(volume, number))
        mask = folder / "scans" / f"drawn-{number}.seg.nrrd"
        write_segmentation(mask, Volume(labels_of(reference.array.astype(np.uint8)), reference.grid), table)
        case = folder / "cases" / f"patient-{number}"
        import_mask(case, read_mask(mask), rater=Rater("Anna", "radiologist"), scan=scan_reference(scan))
        folders.append(case)
    return folders
