"""What is measured of each segment for a DICOM report: volume, the scan's mean where its unit is known, diameters."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.labels import Code, Label
from MedSegAI.Logic.measure.nodule import axial_diameters
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.pet.suv import Suv
from MedSegAI.Logic.volume import Modality, Unit, Volume

_MEANING = {
    Unit.HOUNSFIELD: (
        Code("DCM", "112031", "Attenuation Coefficient"),
        Code("UCUM", "[hnsf'U]", "Hounsfield unit"),
    ),
    Unit.SUV_BODY_WEIGHT: (Code("DCM", "126401", "SUVbw"), Code("UCUM", "g/ml{SUVbw}", "SUVbw g/ml")),
    Unit.SUV_LEAN_BODY_MASS: (Code("DCM", "126402", "SUVlbm"), Code("UCUM", "g/ml{SUVlbm}", "SUVlbm g/ml")),
    Unit.SUV_BODY_SURFACE: (Code("DCM", "126403", "SUVbsa"), Code("UCUM", "cm2/ml{SUVbsa}", "SUVbsa cm2/ml")),
}


@dataclass(frozen=True)
class SegmentStatistics:
    """One segment's size, and the mean of the scan over it.

    Args:
        label: The segment.
        volume_ml: Its voxels, in mL.
        mean: Mean of the scan's values in it; None where nobody knows what the values mean.
        quantity: What that mean is of.
        unit: Its unit.
        long_mm: Longest diameter in an axial plane, mm; None where diameters were not asked for.
        short_mm: In the same plane, the longest diameter perpendicular to it, mm.
    """

    label: Label
    volume_ml: float
    mean: float | None = None
    quantity: Code | None = None
    unit: Code | None = None
    long_mm: float | None = None
    short_mm: float | None = None


def in_known_unit(scan: Volume) -> Volume:
    """A PET scan in SUVbw where its header has all that this needs; any other scan as it is."""
    if scan.modality is not Modality.PET or scan.unit in _MEANING:
        return scan
    try:
        return Suv().apply(scan, reporter=SilentReporter()).volume
    except InputError:
        return scan


def segment_statistics(
    labels: Volume, present: list[Label], scan: Volume, *, diameters_of: Collection[int] = ()
) -> tuple[SegmentStatistics, ...]:
    """The statistics of each label.

    Args:
        labels: uint8 (k, j, i) on the scan's grid.
        present: Labels that have voxels.
        scan: The scan; its mean is left out for units that no code stands for, as those of MR.
        diameters_of: Values of labels that are measured across, too, such as nodules.
    """
    quantity, unit = _MEANING.get(scan.unit, (None, None))
    found = []
    for label in present:
        box = Box.around(labels.array == label.value) or Box.empty()
        mask = labels.array[box.slices] == label.value
        volume = float(np.count_nonzero(mask)) * labels.grid.voxel_volume_ml
        mean = None if quantity is None else float(np.mean(scan.array[box.slices][mask], dtype=np.float64))
        across = axial_diameters(labels, label.value) if label.value in diameters_of else None
        diameters = (None, None) if across is None else (across.long_mm, across.short_mm)
        found.append(SegmentStatistics(label, volume, mean, quantity, unit, *diameters))
    return tuple(found)
