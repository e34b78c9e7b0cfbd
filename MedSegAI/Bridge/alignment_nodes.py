"""A scan moved onto another one: a transform node over it, which says how well they fit, and can be taken off again."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import slicer

from MedSegAI.Bridge.scan_attributes import FRAME_ATTRIBUTE, frame_of_reference_of
from MedSegAI.Bridge.transform_nodes import node_to_transform, transform_to_node
from MedSegAI.Logic.align.alignment import Alignment
from MedSegAI.Logic.standardise.register import LinearTransform

_ALIGNMENT_ATTRIBUTE = "MedSegAI.Alignment"

_log = logging.getLogger(__name__)


def alignment_to_node(
    alignment: Alignment,
    moving: slicer.vtkMRMLScalarVolumeNode,
    *,
    reference: slicer.vtkMRMLScalarVolumeNode,
) -> slicer.vtkMRMLLinearTransformNode:
    """A new transform node that moves a scan from where it lies in the world onto its reference.

    The scan is not put under it yet; see :func:`put_under`. A linear transform that it lies under already is taken
    into the new one, and stays in the scene as it is. Nothing is hardened: the voxels and their own geometry stay.

    Args:
        alignment: Of the scan, as it lies in the world now, to the reference as it lies there; the node keeps
            it, with the transform to the scan's own place, see :func:`alignment_of`.
        moving: The scan to be moved.
        reference: The scan that it was aligned to.

    Raises:
        InputError: if the scan lies under a transform that is not linear.
    """
    matrix, before = alignment.moving_to_reference.array, moving.GetParentTransformNode()
    if before is not None:
        matrix = matrix @ node_to_transform(before)
        # What is noted must hold for the scan as it was read: from its file alone all of it is done again.
        own = LinearTransform(tuple(float(value) for value in matrix.ravel())).inverse
        alignment = replace(alignment, transform=own)
    node = transform_to_node(matrix, moving.GetScene(), name=f"{moving.GetName()} to {reference.GetName()}")
    node.SetAttribute(FRAME_ATTRIBUTE, frame_of_reference_of(reference) or None)
    node.SetAttribute(_ALIGNMENT_ATTRIBUTE, json.dumps(alignment.to_plain(), ensure_ascii=False))
    return node


def put_under(node: slicer.vtkMRMLTransformableNode, transform: slicer.vtkMRMLTransformNode | None) -> None:
    """Let a transform say where a node lies; None puts it back to its own place."""
    node.SetAndObserveTransformNodeID(None if transform is None else transform.GetID())


def alignment_of(node: slicer.vtkMRMLTransformableNode) -> Alignment | None:
    """What is known of the alignment that a node lies under; None where there is none."""
    parent = node.GetParentTransformNode()
    text = None if parent is None else parent.GetAttribute(_ALIGNMENT_ATTRIBUTE)
    if not text:
        return None
    try:
        return Alignment.from_plain(json.loads(text))
    except (ValueError, TypeError, KeyError):
        _log.warning("How '%s' was aligned is not recorded in a way that can be read.", node.GetName())
        return None
