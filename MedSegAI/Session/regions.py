"""Which part of the scan is segmented: the user's choice as the region that Logic understands."""

from __future__ import annotations

import slicer

from MedSegAI.Bridge.region_nodes import point_to_region, roi_to_region
from MedSegAI.Logic.errors import RegionError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Session.choices import RegionChoice


def region_text(
    choice: RegionChoice,
    grid: Grid,
    card: ModelCard,
    *,
    roi: slicer.vtkMRMLMarkupsROINode | None,
    point: slicer.vtkMRMLMarkupsFiducialNode | None,
) -> str | None:
    """The region as ``Logic/localise/region_of_interest.py`` reads it; None where the model is to find it.

    Raises:
        RegionError: if the ROI or the point that was chosen is not there, or the model takes no points.
        InputError: if the ROI is empty or no point was placed.
    """
    if choice is RegionChoice.WHOLE:
        return ",".join(f"0:{count}" for count in grid.size)
    if choice is RegionChoice.ROI:
        if roi is None:
            raise RegionError("No region of interest was placed.", advice="Place one, or choose another region.")
        return roi_to_region(roi)
    if choice is RegionChoice.POINT:
        if card.point_box_mm is None:
            raise RegionError(
                f"'{card.title}' does not segment what a point shows.", advice="Choose another region, or model."
            )
        if point is None:
            raise RegionError("No point was placed.", advice="Place one on the structure, or choose another region.")
        return point_to_region(point, card.point_box_mm)
    return None
