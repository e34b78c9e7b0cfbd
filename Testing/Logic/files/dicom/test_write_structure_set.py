"""Outlines as an RT Structure Set that refers to the planes of its series."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.source_series import SourceSeries, read_source_series
from MedSegAI.Logic.files.dicom.write_structure_set import structure_set_object
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.volume import Volume
from Testing.Logic.files.dicom.test_planar_contours import filled

pytest.importorskip("highdicom")


@pytest.mark.parametrize("name", ["ct", "multi-frame"])
def test_what_was_written_gives_the_same_masks_on_the_images_it_names(case_on, name, tmp_path):
    case = case_on(name)
    source = read_source_series(case.series)
    structure_set_object(case.segmentation, source, creator="Anna").save_as(tmp_path / "rt.dcm")
    written = pydicom.dcmread(tmp_path / "rt.dcm")
    grid, labels = case.scan.grid, case.segmentation.labels.array
    assert [roi.ROIName for roi in written.StructureSetROISequence] == ["Left kidney", "Lump"]
    assert {roi.ROIGenerationAlgorithm for roi in written.StructureSetROISequence} == {"SEMIAUTOMATIC"}
    for roi, value in zip(written.ROIContourSequence, (3, 7)):
        outlines = []
        for contour in roi.ContourSequence:
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            assert len(points) == contour.NumberOfContourPoints
            k = round(float(grid.kji_of(points[0])[0]))
            assert plane_of(contour.ContourImageSequence[0], source) == k
            outlines.append((k, grid.lps_of(np.round(grid.kji_of(points) * 2) / 2)))
            np.testing.assert_allclose(outlines[-1][1], points, atol=2e-4)
        assert np.array_equal(filled(outlines, grid), labels == value)


def plane_of(reference, source):
    """The plane k of the image, or of the frame, that a contour names."""
    if source.is_multi_frame:
        assert reference.ReferencedSOPInstanceUID == source.images[0].SOPInstanceUID
        return source.planes[reference.ReferencedFrameNumber - 1]
    return [image.SOPInstanceUID for image in source.images].index(reference.ReferencedSOPInstanceUID)


def test_labels_elsewhere_and_series_without_a_frame_of_reference_are_refused(case_on):
    case = case_on("ct")
    source = read_source_series(case.series)
    moved = replace(case.scan.grid, origin=(0, 0, 0))
    with pytest.raises(InputError, match="does not lie on the grid"):
        structure_set_object(
            Segmentation(Volume(case.segmentation.labels.array, moved), case.segmentation.table), source
        )
    header = source.images[0].copy()
    del header.FrameOfReferenceUID
    nowhere = SourceSeries(source.scan, (header, *source.images[1:]), source.planes)
    with pytest.raises(InputError, match="lacks the frame of reference"):
        structure_set_object(case.segmentation, nowhere)
