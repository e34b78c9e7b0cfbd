"""Pictures of a case as Slicer draws it: three slices with outlines and heat map, and the surfaces in 3D."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import slicer
from vtkmodules.vtkCommonDataModel import vtkImageData

from MedSegAI.Bridge.geometry import scalars_of
from MedSegAI.Bridge.heat_surface import level_surface, new_surface_model, shown_heat_surface
from MedSegAI.Bridge.scene import OpenScene
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.segment_surfaces import CLOSED_SURFACE, create_surfaces
from MedSegAI.Bridge.views import SliceView, ThreeDView
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.geometry import swap_lps_and_ras
from MedSegAI.Logic.report.slice_planes import place_of_plane

ORIENTATIONS = ("Axial", "Coronal", "Sagittal")
_OUTLINE_PIXELS = 2
_HEAT_SURFACE_OPACITY = 0.3
_SLICE_BELOW_MM = 120.0


def slice_pictures(
    opened: OpenScene,
    scan: slicer.vtkMRMLScalarVolumeNode,
    point_lps: np.ndarray,
    *,
    segmentation: slicer.vtkMRMLSegmentationNode | None = None,
    heat: slicer.vtkMRMLScalarVolumeNode | None = None,
    opacity: float = 0.5,
    width_mm: float | None = None,
    size: tuple[int, int] = (600, 600),
) -> dict[str, np.ndarray]:
    """Axial, coronal and sagittal slice through a point, patient's right on the picture's left, with a ruler.

    Args:
        opened: The scene that holds the nodes.
        scan: Shown in grey, by its own window and level.
        point_lps: The point (x, y, z) in LPS mm.
        segmentation: Its visible segments are drawn as outlines.
        heat: Laid over the scan with ``opacity`` where it is above its threshold.
        opacity: Of the heat map, 0..1.
        width_mm: How much of the patient is seen across a picture; None shows the whole scan.
        size: Width and height in pixels.

    Returns:
        Pictures by orientation, uint8 (rows, columns, RGB).

    Raises:
        DependencyError: where there is no usable OpenGL.
    """
    ras = swap_lps_and_ras(point_lps)
    width_mm = width_mm or _whole_width_mm(scan, size)
    pictures = {}
    with _as_outlines(segmentation), _only(opened.mrml, segmentation):
        for orientation in ORIENTATIONS:
            with SliceView(opened, orientation, size=size) as view:
                view.show(scan, foreground=heat, opacity=opacity)
                view.node.SetRulerType(slicer.vtkMRMLAbstractViewNode.RulerTypeThin)
                view.node.SetRulerColor(slicer.vtkMRMLAbstractViewNode.RulerColorYellow)
                view.look_at(ras, width_mm=width_mm)
                view.label(f"{orientation}, {place_of_plane(orientation.lower(), point_lps)}")
                if heat is not None:
                    view.explain_colours(heat.GetDisplayNode().GetColorNode().GetLookupTable(), "heat")
                pictures[orientation] = view.snapshot()
    return pictures


def _whole_width_mm(scan: slicer.vtkMRMLScalarVolumeNode, size: tuple[int, int]) -> float:
    bounds = np.zeros(6)
    scan.GetRASBounds(bounds)
    longest = float(np.max(bounds[1::2] - bounds[::2]))
    return longest * max(1.0, size[0] / size[1])


def surface_picture(
    opened: OpenScene,
    segmentation: slicer.vtkMRMLSegmentationNode,
    *,
    scan: slicer.vtkMRMLScalarVolumeNode | None = None,
    heat: slicer.vtkMRMLScalarVolumeNode | None = None,
    heat_level: float = 0.5,
    direction_lps: tuple[float, float, float] = (-0.5, 1.0, -0.55),
    size: tuple[int, int] = (800, 600),
) -> np.ndarray:
    """The segments' closed surfaces in 3D, and around them the surface where the heat map reaches ``heat_level``.

    Args:
        opened: The scene that holds the nodes.
        segmentation: Surfaces are made where it has none.
        scan: An axial slice of it is shown below the surfaces, to tell where they are.
        heat: Its level surface is drawn translucent.
        heat_level: 0..1.
        direction_lps: From the eye into the scene; the default looks from the front, left and above.
        size: Width and height in pixels.

    Returns:
        The picture, uint8 (rows, columns, RGB).

    Raises:
        DependencyError: where there is no usable OpenGL.
    """
    if not segmentation.GetSegmentation().ContainsRepresentation(CLOSED_SURFACE):
        create_surfaces(segmentation)
    with (
        _only(opened.mrml, segmentation),
        _scan_below(opened, scan, segmentation),
        _heat_surface(heat, heat_level),
        ThreeDView(opened, size=size) as view,
    ):
        view.node.SetBackgroundColor(0.09, 0.10, 0.13)
        view.node.SetBackgroundColor2(0.22, 0.24, 0.29)
        view.node.SetOrientationMarkerType(slicer.vtkMRMLAbstractViewNode.OrientationMarkerTypeAxes)
        view.look_from(swap_lps_and_ras(direction_lps))
        return view.snapshot()


def write_picture(path: str | Path, picture: np.ndarray) -> Path:
    """Write a picture (rows, columns, RGB uint8) as PNG.

    Raises:
        StorageError: if it cannot be written.
    """
    from vtkmodules.vtkIOImage import vtkPNGWriter

    image = vtkImageData()
    image.SetDimensions(picture.shape[1], picture.shape[0], 1)
    pixels = scalars_of(picture[::-1].reshape(-1))
    pixels.SetNumberOfComponents(3)
    image.GetPointData().SetScalars(pixels)
    writer = vtkPNGWriter()
    writer.SetInputData(image)
    with write_beside(path) as temporary:
        writer.SetFileName(str(temporary))
        writer.Write()
    return Path(path)


@contextmanager
def _as_outlines(segmentation: slicer.vtkMRMLSegmentationNode | None) -> Iterator[None]:
    """Draw segments as outlines for the length of the block."""
    display = segmentation.GetDisplayNode() if segmentation is not None else None
    if display is None:
        yield
        return
    fill, outline = display.GetVisibility2DFill(), display.GetVisibility2DOutline()
    thickness = display.GetSliceIntersectionThickness()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetSliceIntersectionThickness(_OUTLINE_PIXELS)
    try:
        yield
    finally:
        display.SetVisibility2DFill(fill)
        display.SetVisibility2DOutline(outline)
        display.SetSliceIntersectionThickness(thickness)


@contextmanager
def _only(scene: slicer.vtkMRMLScene, wanted: slicer.vtkMRMLSegmentationNode | None) -> Iterator[None]:
    """Hide every segmentation but one for the length of the block."""
    nodes = nodes_of_class(scene, "vtkMRMLSegmentationNode")
    hidden = [
        node.GetDisplayNode()
        for node in nodes
        if node is not wanted and node.GetDisplayNode() is not None and node.GetDisplayNode().GetVisibility()
    ]
    for display in hidden:
        display.SetVisibility(False)
    try:
        yield
    finally:
        for display in hidden:
            display.SetVisibility(True)


@contextmanager
def _scan_below(
    opened: OpenScene,
    scan: slicer.vtkMRMLScalarVolumeNode | None,
    segmentation: slicer.vtkMRMLSegmentationNode,
) -> Iterator[None]:
    """Show an axial slice of the scan in 3D, just below the segments, for the length of the block."""
    if scan is None:
        yield
        return
    bounds = np.zeros(6)
    segmentation.GetRASBounds(bounds)
    centre = (bounds[::2] + bounds[1::2]) / 2
    with SliceView(opened, "Axial", size=(400, 400)) as view:
        view.show(scan)
        width_mm = min(_SLICE_BELOW_MM, _whole_width_mm(scan, view.size))
        view.look_at([centre[0], centre[1], bounds[4] - 1.0], width_mm=width_mm)
        view.node.SetSliceVisible(True)
        yield


@contextmanager
def _heat_surface(heat: slicer.vtkMRMLScalarVolumeNode | None, level: float) -> Iterator[None]:
    """The heat map's level surface as a translucent model for the length of the block, instead of one shown already."""
    if heat is None:
        yield
        return
    shown = shown_heat_surface(heat)
    display = shown.GetDisplayNode() if shown is not None else None
    was_visible = display is not None and bool(display.GetVisibility())
    if was_visible:
        display.SetVisibility(False)
    model = new_surface_model(heat, level_surface(heat, level), opacity=_HEAT_SURFACE_OPACITY)
    try:
        yield
    finally:
        heat.GetScene().RemoveNode(model.GetDisplayNode())
        heat.GetScene().RemoveNode(model)
        if was_visible:
            display.SetVisibility(True)
