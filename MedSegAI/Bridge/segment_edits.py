"""Whether a person has changed the voxels that a model made: a digest of them, kept on the segmentation node."""

from __future__ import annotations

import hashlib

import slicer

from MedSegAI.Bridge.segment_runs import segment_runs

MADE_DIGEST_ATTRIBUTE = "MedSegAI.MadeDigest"


def segmentation_digest(node: slicer.vtkMRMLSegmentationNode) -> str:
    """A digest, as hex, of which voxels each segment has.

    It depends on segment IDs and the voxels' indices in the scan's grid alone: not on the layers' extents, which
    segments share a layer, their order, names, colours or display, nor on empty segments.
    """
    digest = hashlib.blake2b(digest_size=20)
    for key, runs in sorted(segment_runs(node).items()):
        if len(runs):
            digest.update(f"{len(key)}:{key}:{len(runs)}:".encode())
            digest.update(runs.astype("<i4", order="C").data)
    return digest.hexdigest()


def mark_as_made(node: slicer.vtkMRMLSegmentationNode) -> None:
    """Remember the voxels as they are now as those the model made; kept in the scene and in ``.mrb``."""
    node.SetAttribute(MADE_DIGEST_ATTRIBUTE, segmentation_digest(node))


def is_edited(node: slicer.vtkMRMLSegmentationNode) -> bool:
    """Whether the voxels differ from those that were marked as made.

    A node that was never marked counts as edited if it has any voxel: it is somebody's work.
    """
    made = node.GetAttribute(MADE_DIGEST_ATTRIBUTE)
    if not made:
        return any(len(runs) for runs in segment_runs(node).values())
    return segmentation_digest(node) != made
