"""The sample for newcomers: the average head ICBM152, which the package nilearn carries; nothing is downloaded."""

from __future__ import annotations

from dataclasses import replace

import slicer

from MedSegAI.Logic.localise.atlas import icbm152_t1
from MedSegAI.Logic.volume import Volume

SAMPLE_NAME = "ICBM152Head"


def sample_head() -> Volume:
    """The T1 MR of the average head, named for a person to read; raises as :func:`icbm152_t1`."""
    return replace(icbm152_t1(), name="ICBM152 T1")


def add_sample_head() -> slicer.vtkMRMLScalarVolumeNode:
    """Bring the sample into Slicer's scene and show it; raises as :func:`icbm152_t1`."""
    from MedSegAI.Bridge.slice_composites import show_scan
    from MedSegAI.Bridge.volume_nodes import volume_to_node

    node = volume_to_node(sample_head(), slicer.mrmlScene)
    show_scan(node)
    return node
