"""A scan moved onto another one: a transform node over it, which says how well they fit, and can be taken off again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np
import slicer

from MedSegAI.Bridge.scan_attributes import FRAME_ATTRIBUTE, frame_of_reference_of
from MedSegAI.Bridge.transform_nodes import node_to_transform, transform_to_node

_ALIGNMENT_ATTRIBUTE = "MedSegAI.Alignment"


@dataclass(frozen=True)
class AlignmentNote:
    """What an alignment's transform node says of it.

    Args:
        reference: Name of the scan that was aligned to.
        quality: How well they fit, 0..1, as ``Logic/align`` measures it.
        word: The same in a word, such as "good".
        sentence: What was found, in plain words.
    """

    reference: str
    quality: float
    word: str
    sentence: str


def alignment_to_node(
    moving: slicer.vtkMRMLScalarVolumeNode,
    matrix: np.ndarray,
    *,
    reference: slicer.vtkMRMLScalarVolumeNode,
    note: AlignmentNote,
) -> slicer.vtkMRMLLinearTransformNode:
    """A new transform node that moves a scan from where it lies in the world onto its reference.

    The scan is not put under it yet; see :func:`put_under`. A linear transform that it lies under already is taken
    into the new one, and stays in the scene as it is. Nothing is hardened: the voxels and their own geometry stay.

    Args:
        moving: The scan to be moved.
        matrix: 4 x 4, from its present place in the world to its place on the reference, LPS mm.
        reference: The scan that it was aligned to.
        note: What the node is to say of the alignment.

    Raises:
        InputError: if the matrix is no affine one, or the scan lies under a transform that is not linear.
    """
    before = moving.GetParentTransformNode()
    if before is not None:
        matrix = np.asarray(matrix, dtype=float) @ node_to_transform(before)
    name = f"{moving.GetName()} to {reference.GetName()}"
    node = transform_to_node(matrix, moving.GetScene(), name=name)
    node.SetAttribute(FRAME_ATTRIBUTE, frame_of_reference_of(reference) or None)
    node.SetAttribute(_ALIGNMENT_ATTRIBUTE, json.dumps(asdict(note), ensure_ascii=False))
    return node


def put_under(node: slicer.vtkMRMLTransformableNode, transform: slicer.vtkMRMLTransformNode | None) -> None:
    """Let a transform say where a node lies; None puts it back to its own place."""
    node.SetAndObserveTransformNodeID(None if transform is None else transform.GetID())


def alignment_of(node: slicer.vtkMRMLTransformableNode) -> AlignmentNote | None:
    """What is known of the alignment that a node lies under; None where there is none."""
    parent = node.GetParentTransformNode()
    text = None if parent is None else parent.GetAttribute(_ALIGNMENT_ATTRIBUTE)
    try:
        return AlignmentNote(**json.loads(text)) if text else None
    except (ValueError, TypeError):
        return None
