"""The segments of a result as a combo box offers them."""

from __future__ import annotations

import slicer


def segment_choices(segmentation: slicer.vtkMRMLSegmentationNode | None) -> tuple[tuple[str, str], ...]:
    """Name and ID of every segment."""
    if segmentation is None:
        return ()
    segments = segmentation.GetSegmentation()
    keys = (segments.GetNthSegmentID(number) for number in range(segments.GetNumberOfSegments()))
    return tuple((segments.GetSegment(key).GetName() or key, key) for key in keys)
