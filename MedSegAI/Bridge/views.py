"""Off-screen slice and 3D views over MRML's own displayable managers: what Slicer's views show, without its windows.

Nothing renders until :meth:`snapshot`, so that setting up costs no rendering. Each view adds its nodes to the scene
when it is entered and takes them out again when it is left: a picture leaves no trace in the scene.
"""

from __future__ import annotations

from types import TracebackType

import numpy as np
import slicer
import vtkmodules.vtkInteractionStyle
import vtkmodules.vtkRenderingFreeType
import vtkmodules.vtkRenderingOpenGL2
import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401 (these four register VTK's rendering classes)
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkLookupTable
from vtkmodules.vtkRenderingAnnotation import vtkScalarBarActor
from vtkmodules.vtkRenderingCore import (
    vtkActor2D,
    vtkImageMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkRenderWindowInteractor,
    vtkTextActor,
    vtkTextProperty,
    vtkWindowToImageFilter,
)

from MedSegAI.Bridge.graphics import require_gl
from MedSegAI.Bridge.scene import OpenScene
from MedSegAI.Bridge.vtk_messages import caught_vtk_messages
from MedSegAI.Logic.report.slice_planes import EDGE_LETTERS

_SLICE_MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
)
_THREED_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
)


class _OffScreenView:
    """A render window with MRML's displayable managers in it."""

    def __init__(self, opened: OpenScene, *, size: tuple[int, int]) -> None:
        require_gl()
        self.opened = opened
        self.size = size
        self.renderer = vtkRenderer()
        with caught_vtk_messages():
            self.window = vtkRenderWindow()
        self.window.ShowWindowOff()
        self.window.SetOffScreenRendering(1)
        # Software GL multiplies its work by the samples, and loses translucent surfaces under depth peeling.
        self.window.SetMultiSamples(0)
        self.renderer.SetUseDepthPeeling(False)
        self.renderer.SetUseDepthPeelingForVolumes(False)
        self.window.SetSize(*size)
        self.window.AddRenderer(self.renderer)
        self.interactor = vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.managers = slicer.vtkMRMLDisplayableManagerGroup()
        self._added: list[slicer.vtkMRMLNode] = []

    def _attach(
        self, factory: slicer.vtkMRMLDisplayableManagerFactory, names: tuple[str, ...], view: slicer.vtkMRMLNode
    ) -> None:
        factory.SetMRMLApplicationLogic(self.opened.application)
        for name in names:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self.managers.SetRenderer(self.renderer)
        self.managers.Initialize(factory, self.renderer)
        self.managers.SetMRMLDisplayableNode(view)

    def snapshot(self) -> np.ndarray:
        """Draw; the picture as uint8 (rows from the top, columns, RGB)."""
        # VTK tries each kind of window in turn and complains of every one it passes over.
        with caught_vtk_messages():
            self.window.Render()
        grab = vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.SetInputBufferTypeToRGB()
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()

    def _close(self) -> None:
        self.managers.SetMRMLDisplayableNode(None)
        for node in self._added:
            self.opened.mrml.RemoveNode(node)
        self.window.Finalize()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


class SliceView(_OffScreenView):
    """One slice, as Slicer's slice view shows it.

    Args:
        opened: The scene to look at.
        orientation: "Axial", "Coronal" or "Sagittal" (patient's right on the picture's left).
        size: Width and height in pixels.

    Raises:
        DependencyError: where there is no usable OpenGL.
    """

    def __init__(self, opened: OpenScene, orientation: str, *, size: tuple[int, int] = (600, 600)) -> None:
        super().__init__(opened, size=size)
        self.orientation = orientation
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self._mapper = vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self.logic = slicer.vtkMRMLSliceLogic()

    def __enter__(self) -> SliceView:
        scene = self.opened.mrml
        self.logic.SetMRMLApplicationLogic(self.opened.application)
        self.logic.SetMRMLScene(scene)
        self.node = self.logic.AddSliceNode(scene.GenerateUniqueName(f"MedSegAI {self.orientation}"))
        self.composite = self.logic.GetSliceCompositeNode()
        self._added += [self.node, self.composite, self.logic.GetSliceDisplayNode()]
        self._added += [self.logic.GetSliceModelNode(), self.logic.GetSliceModelTransformNode()]
        self.node.SetOrientation(self.orientation)
        self._attach(slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance(), _SLICE_MANAGERS, self.node)
        return self

    def show(
        self,
        background: slicer.vtkMRMLVolumeNode,
        *,
        foreground: slicer.vtkMRMLVolumeNode | None = None,
        opacity: float = 0.5,
    ) -> None:
        """Put a scan, and a heat map over it, into the slice."""
        self.composite.SetBackgroundVolumeID(background.GetID())
        self.composite.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
        self.composite.SetForegroundOpacity(opacity)

    def look_at(self, ras: np.ndarray, *, width_mm: float) -> None:
        """Centre the slice on a point (RAS mm), ``width_mm`` of the patient across the picture."""
        width, height = self.size
        self.logic.ResizeSliceNode(width, height)
        self.node.SetFieldOfView(width_mm, width_mm * height / width, 1.0)
        self.node.JumpSliceByCentering(*(float(value) for value in ras))

    def label(self, text: str) -> None:
        """Write ``text`` into the upper left corner and the patient's directions at the four edges."""
        self._write(text, 0.02, 0.98, "Left", "Top", share=0.032)
        left, right, top, bottom = EDGE_LETTERS[self.orientation.lower()]
        self._write(left, 0.015, 0.5, "Left", "Centered", share=0.042)
        self._write(right, 0.985, 0.5, "Right", "Centered", share=0.042)
        self._write(bottom, 0.5, 0.075, "Centered", "Bottom", share=0.042)
        self._write(top, 0.5, 0.985, "Centered", "Top", share=0.042)

    def explain_colours(self, table: vtkLookupTable, title: str) -> None:
        """A bar of the colours for values from 0 to 1, in the lower right corner."""
        table_of_unit = vtkLookupTable()
        table_of_unit.DeepCopy(table)
        table_of_unit.SetRange(0.0, 1.0)
        bar = vtkScalarBarActor()
        bar.SetLookupTable(table_of_unit)
        bar.SetTitle(title)
        bar.SetNumberOfLabels(3)
        bar.SetLabelFormat("%.1f")
        bar.SetUnconstrainedFontSize(True)
        bar.SetMaximumNumberOfColors(table.GetNumberOfTableValues())
        bar.SetPosition(0.87, 0.08)
        bar.SetPosition2(0.11, 0.34)
        bar.SetBarRatio(0.3)
        bar.SetVerticalTitleSeparation(round(self.size[1] * 0.012))
        for style in (bar.GetTitleTextProperty(), bar.GetLabelTextProperty()):
            self._style(style, share=0.028)
        self.renderer.AddViewProp(bar)

    def _write(self, text: str, x: float, y: float, across: str, along: str, *, share: float) -> None:
        actor = vtkTextActor()
        actor.SetInput(text)
        actor.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
        actor.SetPosition(x, y)
        style = actor.GetTextProperty()
        self._style(style, share=share)
        getattr(style, f"SetJustificationTo{across}")()
        getattr(style, f"SetVerticalJustificationTo{along}")()
        self.renderer.AddViewProp(actor)

    def _style(self, style: vtkTextProperty, *, share: float) -> None:
        style.SetFontSize(round(self.size[1] * share))
        style.SetColor(1.0, 1.0, 1.0)
        style.SetBold(False)
        style.SetItalic(False)
        style.SetShadow(True)

    def snapshot(self) -> np.ndarray:
        """Draw; the picture as uint8 (rows from the top, columns, RGB)."""
        self.logic.UpdatePipeline()
        connection = self.logic.GetImageDataConnection()
        if connection is not None:
            self._mapper.SetInputConnection(connection)
            actor = vtkActor2D()
            actor.SetMapper(self._mapper)
            actor.GetProperty().SetDisplayLocationToBackground()
            self.renderer.AddViewProp(actor)
        return super().snapshot()

    def _close(self) -> None:
        super()._close()
        self.logic.SetMRMLScene(None)


class ThreeDView(_OffScreenView):
    """A 3D view, as Slicer's shows surfaces, without box and axis labels.

    Args:
        opened: The scene to look at.
        size: Width and height in pixels.

    Raises:
        DependencyError: where there is no usable OpenGL.
    """

    def __init__(self, opened: OpenScene, *, size: tuple[int, int] = (800, 600)) -> None:
        super().__init__(opened, size=size)
        self.logic = slicer.vtkMRMLViewLogic()

    def __enter__(self) -> ThreeDView:
        scene = self.opened.mrml
        self.logic.SetMRMLApplicationLogic(self.opened.application)
        self.logic.SetMRMLScene(scene)
        self.node = self.logic.AddViewNode(scene.GenerateUniqueName("MedSegAI 3D"))
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)
        self._added.append(self.node)
        before = scene.GetNumberOfNodesByClass("vtkMRMLCameraNode")
        self._attach(slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance(), _THREED_MANAGERS, self.node)
        cameras = scene.GetNumberOfNodesByClass("vtkMRMLCameraNode")
        self._added += [scene.GetNthNodeByClass(index, "vtkMRMLCameraNode") for index in range(before, cameras)]
        return self

    def look_from(self, direction_ras: np.ndarray, *, zoom: float = 1.3) -> None:
        """Look at all that is visible along a direction (RAS, from the eye into the scene), superior up."""
        camera = self.renderer.GetActiveCamera()
        self.renderer.ResetCamera()
        focus = np.array(camera.GetFocalPoint())
        way = np.asarray(direction_ras, dtype=float) / np.linalg.norm(direction_ras)
        camera.SetPosition(*(focus - way * camera.GetDistance()))
        camera.SetViewUp(0, 0, 1)
        camera.OrthogonalizeViewUp()
        self.renderer.ResetCamera()
        camera.Zoom(zoom)
        self.renderer.ResetCameraClippingRange()

    def _close(self) -> None:
        super()._close()
        self.logic.SetMRMLScene(None)
