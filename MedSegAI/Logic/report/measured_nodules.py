"""Each structure that a user pointed at, measured, as a table shows it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from MedSegAI.Logic.geometry import Triple
from MedSegAI.Logic.inference.pointed_regions import is_cut
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.measure.nodule import NoduleMeasures, measure_nodule
from MedSegAI.Logic.volume import Volume

_HEADER = (
    *("name", "key", "r_mm", "a_mm", "s_mm", "diameter_mm", "long_mm", "short_mm", "longest_3d_mm"),
    *("volume_mm3", "mean", "confidence", "may_be_cut"),
)


@dataclass(frozen=True)
class MeasuredNodule:
    """One structure that was pointed at.

    Args:
        key: Key of its label.
        name: What the user reads.
        point: Where it was pointed at, (R, A, S) in mm; None where that is not known.
        measures: Its measures.
        confidence: Mean probability of the label over its voxels, 0..1; None where it is not known.
        cut: Whether a part of it may be missing, see ``is_cut`` in ``Logic/inference/pointed_regions.py``.
    """

    key: str
    name: str
    point: Triple | None
    measures: NoduleMeasures
    confidence: float | None
    cut: bool

    def to_plain(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "key": self.key,
            "name": self.name,
            "point_ras": None if self.point is None else list(self.point),
            **self.measures.to_plain(),
            "diameter_mm": self.measures.diameter_mm,
            "confidence": self.confidence,
            "may_be_cut": self.cut,
        }


def measured_nodules(result: SegmentationResult, scan: Volume) -> tuple[MeasuredNodule, ...]:
    """The structures of a run at points that were found, in the order of the points.

    Args:
        result: Its provenance holds a region and a point for each.
        scan: The scan; on the grid of the result, or on a larger one that holds it.
    """
    made = result.provenance
    names = {label.value: label for label in result.table}
    found = []
    for region, point in zip(made.regions, made.settings.get("points") or ()):
        for _, value in region.labels:
            measures = measure_nodule(result.labels, value, scan)
            if measures is not None:
                label, sure = names[value], result.label_confidence or {}
                cut = is_cut(result.labels, value, region)
                found.append(MeasuredNodule(label.key, label.name, tuple(point), measures, sure.get(label.key), cut))
    return tuple(found)


def nodules_as_csv(nodules: Iterable[MeasuredNodule]) -> str:
    """The table as comma-separated text with a header line; mm to two decimals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for one in nodules:
        measures = one.measures
        point = ("", "", "") if one.point is None else (f"{value:.2f}" for value in one.point)
        diameters = (measures.diameter_mm, measures.long_mm, measures.short_mm, measures.longest_3d_mm)
        sizes = (f"{value:.2f}" for value in diameters)
        sure = "" if one.confidence is None else f"{one.confidence:.4f}"
        rest = (f"{measures.volume_mm3:.1f}", f"{measures.mean:.1f}", sure, "yes" if one.cut else "no")
        writer.writerow((one.name, one.key, *point, *sizes, *rest))
    return text.getvalue()
