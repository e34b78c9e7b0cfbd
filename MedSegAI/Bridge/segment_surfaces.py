"""Closed surfaces of segments, shown in 3D views: all at once, or a segment a step so that a window stays alive."""

from __future__ import annotations

from collections.abc import Iterator

import slicer

from MedSegAI.Logic.errors import InputError

CLOSED_SURFACE = "Closed surface"
_BINARY_LABELMAP = "Binary labelmap"
_SMOOTHING = "Smoothing factor"


def create_surfaces(node: slicer.vtkMRMLSegmentationNode, *, smoothing: float = 0.5) -> None:
    """Give each segment a closed surface, shown in 3D views.

    Args:
        node: The segmentation.
        smoothing: Slicer's smoothing factor, 0 (voxel steps) to 1.

    Raises:
        InputError: if Slicer cannot make the surfaces.
    """
    segmentation = node.GetSegmentation()
    segmentation.SetConversionParameter(_SMOOTHING, str(smoothing))
    if segmentation.GetNumberOfSegments() == 0 or not segmentation.CreateRepresentation(CLOSED_SURFACE, True):
        raise _no_surfaces(node)


def surface_steps(node: slicer.vtkMRMLSegmentationNode, *, smoothing: float = 0.5) -> Iterator[None]:
    """As :func:`create_surfaces`, one segment a step; views show each as soon as it is there.

    Between two steps the segments may be edited, added or removed: Slicer then drops all surfaces, and the iterator
    goes on until every segment has one again.

    Args:
        node: The segmentation; nothing happens before the first step.
        smoothing: Slicer's smoothing factor, 0 (voxel steps) to 1.

    Raises:
        InputError: while stepping, if Slicer cannot make the surfaces.
    """
    segmentation = node.GetSegmentation()
    segmentation.SetConversionParameter(_SMOOTHING, str(smoothing))
    if segmentation.GetNumberOfSegments() == 0:
        raise _no_surfaces(node)
    if segmentation.GetSourceRepresentationName() != _BINARY_LABELMAP:
        create_surfaces(node, smoothing=smoothing)
        yield
        return
    rule = _surface_rule(segmentation)
    waiting = _keys(segmentation)
    while waiting:
        for key in waiting:
            segment = segmentation.GetSegment(key)
            if segment is None:
                continue
            if not rule.Convert(segment):
                raise _no_surfaces(node)
            # What CreateRepresentation tells the views at its end.
            segmentation.InvokeEvent(segmentation.ContainedRepresentationNamesModified)
            yield
        waiting = [
            key for key in _keys(segmentation) if segmentation.GetSegment(key).GetRepresentation(CLOSED_SURFACE) is None
        ]
    rule.PostConvert(segmentation)


def _surface_rule(segmentation: slicer.vtkSegmentation) -> slicer.vtkBinaryLabelmapToClosedSurfaceConversionRule:
    """Slicer's conversion with this segmentation's parameters, to be used on one segment at a time."""
    rule = slicer.vtkBinaryLabelmapToClosedSurfaceConversionRule()
    parameters = slicer.vtkSegmentationConversionParameters()
    rule.GetRuleConversionParameters(parameters)
    for index in range(parameters.GetNumberOfParameters()):
        name = parameters.GetName(index)
        rule.SetConversionParameter(name, segmentation.GetConversionParameter(name))
    rule.PreConvert(segmentation)
    return rule


def _keys(segmentation: slicer.vtkSegmentation) -> list[str]:
    return [segmentation.GetNthSegmentID(number) for number in range(segmentation.GetNumberOfSegments())]


def _no_surfaces(node: slicer.vtkMRMLSegmentationNode) -> InputError:
    return InputError(f"No surfaces could be made of '{node.GetName()}'.", advice="Check that it has segments.")
