"""Whether a person has changed the voxels that a model made: a digest of them, kept on the segmentation node."""

from __future__ import annotations

import hashlib

import numpy as np
import slicer

from MedSegAI.Bridge.segment_runs import Steps, at_once, runs_in_steps, segment_runs

MADE_DIGEST_ATTRIBUTE = "MedSegAI.MadeDigest"


def segmentation_digest(node: slicer.vtkMRMLSegmentationNode) -> str:
    """A digest, as hex, of which voxels each segment has.

    It depends on segment IDs and the voxels' indices in the scan's grid alone: not on the layers' extents, which
    segments share a layer, their order, names, colours or display, nor on empty segments.
    """
    return _digest(segment_runs(node))


def mark_as_made(node: slicer.vtkMRMLSegmentationNode) -> None:
    """Remember the voxels as they are now as those the model made; kept in the scene and in ``.mrb``."""
    at_once(mark_as_made_in_steps(node))


def mark_as_made_in_steps(node: slicer.vtkMRMLSegmentationNode) -> Steps[None]:
    """As :func:`mark_as_made`, a large segmentation in several steps, between which nobody may change it."""
    runs = yield from runs_in_steps(node)
    node.SetAttribute(MADE_DIGEST_ATTRIBUTE, _digest(runs))


def is_edited(node: slicer.vtkMRMLSegmentationNode) -> bool:
    """Whether the voxels differ from those that were marked as made.

    A node that was never marked counts as edited if it has any voxel: it is somebody's work.
    """
    made = node.GetAttribute(MADE_DIGEST_ATTRIBUTE)
    if not made:
        return any(len(runs) for runs in segment_runs(node).values())
    return segmentation_digest(node) != made


def _digest(by_segment: dict[str, np.ndarray]) -> str:
    digest = hashlib.blake2b(digest_size=20)
    for key, runs in sorted(by_segment.items()):
        if len(runs):
            digest.update(f"{len(key)}:{key}:{len(runs)}:".encode())
            digest.update(runs.astype("<i4", order="C").data)
    return digest.hexdigest()
