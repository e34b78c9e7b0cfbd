"""Closed surfaces of segments, shown in 3D views: all at once, or a segment a step so that a window stays alive."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import slicer
from vtkmodules.vtkCommonDataModel import vtkPolyData

from MedSegAI.Bridge.geometry import box_of, extent_of, scalars_of
from MedSegAI.Bridge.segment_layers import layer_voxels
from MedSegAI.Bridge.segment_runs import BINARY_LABELMAP, box_of_runs, runs_in_steps
from MedSegAI.Logic.errors import InputError

CLOSED_SURFACE = "Closed surface"
_SMOOTHING = "Smoothing factor"
_Stamp = tuple[int, int]


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
    """As :func:`create_surfaces` with the same result, one segment a step; views show all surfaces after the last.

    Between two steps the segments may be edited, added or removed: what changed is made again, so that the surfaces
    fit the voxels that are there at the end. A segment costs what its own box costs, not the layer it shares.

    Args:
        node: The segmentation; nothing happens before the first step.
        smoothing: Slicer's smoothing factor, 0 (voxel steps) to 1.

    Raises:
        InputError: while stepping, if Slicer cannot make the surfaces.
    """
    segmentation = node.GetSegmentation()
    segmentation.SetConversionParameter(_SMOOTHING, str(smoothing))
    if not _can_be_split(segmentation):
        create_surfaces(node, smoothing=smoothing)
        yield
        return
    rule = _surface_rule(segmentation)
    made: dict[str, tuple[_Stamp, vtkPolyData]] = {}
    while waiting := _changed(segmentation, made):
        runs = yield from runs_in_steps(node)
        yield
        for key, stamp in waiting.items():
            # Edited since the runs were read: its turn comes in the next round.
            if key not in runs or _stamps(segmentation).get(key) != stamp:
                continue
            made[key] = stamp, _surface(rule, segmentation.GetSegment(key), runs[key], node)
            yield
    _attach(node, {key: surface for key, (_, surface) in made.items()})


def _can_be_split(segmentation: slicer.vtkSegmentation) -> bool:
    # Joint smoothing takes all segments of a layer together.
    joint = segmentation.GetConversionParameter(
        slicer.vtkBinaryLabelmapToClosedSurfaceConversionRule.GetJointSmoothingParameterName()
    )
    return (
        segmentation.GetNumberOfSegments() > 0
        and segmentation.GetSourceRepresentationName() == BINARY_LABELMAP
        and joint in ("", "0")
    )


def _stamps(segmentation: slicer.vtkSegmentation) -> dict[str, _Stamp]:
    """What tells, for each segment, whether its voxels may have changed: when its layer did, and its value there."""
    stamps = {}
    for number in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(number)
        image = segment.GetRepresentation(BINARY_LABELMAP)
        if image is not None:
            stamps[segmentation.GetNthSegmentID(number)] = (image.GetMTime(), segment.GetLabelValue())
    return stamps


def _changed(segmentation: slicer.vtkSegmentation, made: dict[str, tuple[_Stamp, vtkPolyData]]) -> dict[str, _Stamp]:
    """The segments without a surface that fits their present voxels, and their stamps."""
    return {key: stamp for key, stamp in _stamps(segmentation).items() if key not in made or made[key][0] != stamp}


def _surface(
    rule: slicer.vtkBinaryLabelmapToClosedSurfaceConversionRule,
    segment: slicer.vtkSegment,
    runs: np.ndarray,
    node: slicer.vtkMRMLSegmentationNode,
) -> vtkPolyData:
    """The closed surface of one segment, made of its own box of the layer."""
    image = segment.GetRepresentation(BINARY_LABELMAP)
    own = slicer.vtkOrientedImageData()
    own.ShallowCopy(image)
    box = box_of_runs(runs)
    if box is not None:
        within = box.shift(tuple(-start for start in box_of(image).start))
        voxels = (layer_voxels(image)[within.slices] == segment.GetLabelValue()).view(np.uint8)
        own.SetExtent(extent_of(box))
        own.GetPointData().SetScalars(scalars_of(voxels))
    alone = slicer.vtkSegment()
    alone.SetLabelValue(1 if box is not None else segment.GetLabelValue())
    alone.AddRepresentation(BINARY_LABELMAP, own)
    if not rule.Convert(alone):
        raise _no_surfaces(node)
    return alone.GetRepresentation(CLOSED_SURFACE)


def _attach(node: slicer.vtkMRMLSegmentationNode, surfaces: dict[str, vtkPolyData]) -> None:
    # All at once: a 3D view that finds one segment with a surface makes those of the others itself, in one go.
    segmentation = node.GetSegmentation()
    was_modifying = node.StartModify()
    for key, surface in surfaces.items():
        segment = segmentation.GetSegment(key)
        if segment is not None:
            segment.AddRepresentation(CLOSED_SURFACE, surface)
    # What CreateRepresentation tells the views at its end.
    segmentation.InvokeEvent(segmentation.ContainedRepresentationNamesModified)
    node.EndModify(was_modifying)


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


def _no_surfaces(node: slicer.vtkMRMLSegmentationNode) -> InputError:
    return InputError(f"No surfaces could be made of '{node.GetName()}'.", advice="Check that it has segments.")
