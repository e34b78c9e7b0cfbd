"""The ``.mrb`` scene that 3D Slicer opens, and the picture of it in 3D: both are Bridge's work."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSegAI.Logic.errors import DependencyError

if TYPE_CHECKING:
    from MedSegAI.Bridge.scene import OpenScene
    from MedSegAI.Logic.inference.result import SegmentationResult
    from MedSegAI.Logic.volume import Volume

SCENE_ENDINGS = (".mrb",)
SLICER_CORE_ADVICE = "Install it for scenes and 3D pictures: pip install 'slicer-core>=5.11.0.6,<5.12'."


@dataclass(frozen=True, eq=False)
class CaseScene:
    """A scene with one case: the scene itself and the nodes of scan, segmentation and (where there is one) heat map."""

    opened: OpenScene
    scan: Any
    segmentation: Any
    heat: Any | None


def require_slicer_core() -> None:
    """Do nothing where scenes can be written.

    Raises:
        DependencyError: where the Slicer core is not installed.
    """
    if importlib.util.find_spec("slicer") is None:
        raise DependencyError("A scene needs the Slicer core, which is not installed.", advice=SLICER_CORE_ADVICE)


def build_scene(scan: Volume, result: SegmentationResult, *, heat: Volume | None = None) -> CaseScene:
    """A new scene with the case; the heat map lies over the scan, and the segments show in 3D at once.

    Raises:
        DependencyError: where the Slicer core is not installed.
        LabelError: if the label map holds a value that its table does not name.
    """
    require_slicer_core()
    from MedSegAI.Bridge.heatmap_nodes import heatmap_to_node
    from MedSegAI.Bridge.scene import new_scene
    from MedSegAI.Bridge.segment_surfaces import create_surfaces
    from MedSegAI.Bridge.segmentation_nodes import segmentation_to_node
    from MedSegAI.Bridge.slice_composites import show_heat
    from MedSegAI.Bridge.volume_nodes import volume_to_node
    from MedSegAI.Logic.geometry import Box

    opened = new_scene()
    scan_node = volume_to_node(scan, opened.mrml)
    segmentation = segmentation_to_node(
        result.labels,
        result.table,
        opened.mrml,
        reference=scan_node,
        provenance=result.provenance,
        name=f"{scan.name} segmentation",
        box=result.changed or Box.empty(),
    )
    if result.changed is not None:
        create_surfaces(segmentation)
    heat_node = None
    if heat is not None:
        heat_node = heatmap_to_node(heat, opened.mrml, name=f"{scan.name} heat map")
    show_heat(heat_node, scan_node)
    return CaseScene(opened, scan_node, segmentation, heat_node)


def write_scene(path: Path, scene: CaseScene) -> None:
    """Write the scene as one ``.mrb``.

    Raises:
        StorageError: if it cannot be written.
    """
    from MedSegAI.Bridge.scene import save_scene

    save_scene(scene.opened.mrml, path)


def write_surface_picture(path: Path, scene: CaseScene) -> None:
    """Write a PNG of the segments' surfaces in 3D.

    Raises:
        DependencyError: where there is no usable OpenGL.
        StorageError: if it cannot be written.
    """
    from MedSegAI.Bridge.graphics import require_gl
    from MedSegAI.Bridge.render import surface_picture, write_picture

    require_gl()
    write_picture(path, surface_picture(scene.opened, scene.segmentation, scan=scene.scan, heat=scene.heat))
