"""A segmentation read from a file, made ready to be explained on the scan it came from."""

from __future__ import annotations

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.standardise.resample import resample_labels
from MedSegAI.Logic.volume import Volume

_LEAST_OVERLAP = 0.5


def result_of_file(segmentation: Segmentation, scan: Volume) -> SegmentationResult:
    """The result that a run gave, from the file it was written to, perhaps corrected since.

    Args:
        segmentation: Labels uint8 (k, j, i) on any LPS grid (Slicer stores only the part that holds segments).
        scan: The scan that was segmented.

    Returns:
        The labels on the scan's grid, exactly where the lattices coincide; no confidence.

    Raises:
        InputError: if the file does not say how it was made (without that nobody knows what the network was shown),
            or it does not lie on the scan.
    """
    name = segmentation.labels.name
    made = segmentation.provenance
    if made is None:
        raise InputError(
            f"The segmentation '{name}' does not say how it was made, so it cannot be explained.",
            advice="Give the .seg.nrrd file that 'segment' wrote, or explain the scan without a segmentation.",
        )
    if segmentation.labels.grid.overlap(scan.grid) < _LEAST_OVERLAP:
        raise InputError(
            f"The segmentation '{name}' does not lie on '{scan.name}'.", advice="Give the scan that it was made from."
        )
    labels = resample_labels(segmentation.labels, scan.grid)
    return SegmentationResult(labels, segmentation.table, None, made, Box.around(labels.array))
