"""The results' panel: segments with volume and confidence, earlier results, and the way to the Segment Editor."""

from __future__ import annotations

from PySide6 import QtCore

CHECKED, UNCHECKED = QtCore.Qt.CheckState.Checked, QtCore.Qt.CheckState.Unchecked


def panel_of(bench):
    from MedSegAI.Widgets.results_panel import ResultsPanel

    panel = ResultsPanel(bench.ui, bench.session)
    panel.refresh()
    return panel


def texts(table):
    columns = range(table.columnCount)
    return [tuple(table.item(row, column).text() for column in columns) for row in range(table.rowCount)]


def test_without_a_result_there_is_no_table(bench):
    panel_of(bench)
    assert bench.ui.segmentsTable.isHidden()
    assert not bench.ui.editButton.enabled


def test_each_segment_has_a_name_a_colour_a_volume_and_a_confidence(bench, a_crop):
    bench.segment(a_crop)
    panel_of(bench)
    rows = bench.session.rows
    expected = [(row.name, f"{row.volume_ml:.2f}", f"{row.confidence:.2f}") for row in rows]
    assert texts(bench.ui.segmentsTable) == expected
    assert [name for name, *_ in expected] == ["Anterior hippocampus", "Posterior hippocampus"]
    swatch = bench.ui.segmentsTable.item(0, 0).icon().pixmap(14, 14).toImage().pixelColor(5, 5)
    assert all(abs(a - b) < 0.01 for a, b in zip(swatch.getRgbF()[:3], rows[0].colour))
    assert "not calibrated" in bench.ui.segmentsTable.horizontalHeaderItem(2).toolTip()
    bench.picture(bench.ui.resultsSection, "results")


def test_unticking_a_segment_hides_it(bench, a_crop):
    bench.segment(a_crop)
    panel = panel_of(bench)
    bench.ui.segmentsTable.item(1, 0).setCheckState(UNCHECKED)
    display = bench.session.segmentation.GetDisplayNode()
    assert not display.GetSegmentVisibility("posterior_hippocampus")
    assert display.GetSegmentVisibility("anterior_hippocampus")
    display.SetSegmentVisibility("posterior_hippocampus", True)
    panel.refresh()
    assert bench.ui.segmentsTable.item(1, 0).checkState() == CHECKED


def test_a_voxel_painted_elsewhere_changes_the_volume(bench, a_crop):
    bench.segment(a_crop)
    panel = panel_of(bench)
    before = texts(bench.ui.segmentsTable)
    image = bench.session.segmentation.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap")
    i0, i1, j0, j1, k0, _k1 = image.GetExtent()
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            image.SetScalarComponentFromFloat(i, j, k0, 0, 1)
    image.Modified()
    panel.refresh()
    assert float(texts(bench.ui.segmentsTable)[0][1]) > float(before[0][1])


def test_a_segment_removed_elsewhere_leaves_the_table(bench, a_crop):
    bench.segment(a_crop)
    panel = panel_of(bench)
    before = texts(bench.ui.segmentsTable)
    bench.session.segmentation.GetSegmentation().RemoveSegment("posterior_hippocampus")
    panel.refresh()
    assert texts(bench.ui.segmentsTable) == before[:1]


def test_an_earlier_result_is_brought_back(bench, a_crop):
    bench.segment(a_crop)
    earlier = bench.session.segmentation
    bench.session.start_segment()
    bench.work_through()
    panel = panel_of(bench)
    assert bench.ui.resultSelector.currentNode() is bench.session.segmentation is not earlier
    bench.choose_node(bench.ui.resultSelector, earlier)
    panel.refresh()
    assert bench.session.segmentation is earlier and earlier.GetDisplayVisibility()
    assert bench.ui.resultSelector.currentNode() is earlier


def test_the_segment_editor_opens_on_the_result_and_the_scan(bench, a_crop):
    import slicer

    bench.segment(a_crop)
    panel_of(bench)
    bench.ui.editButton.click()
    assert bench.problem == ""
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    assert editor.segmentationNode() is bench.session.segmentation
    assert editor.sourceVolumeNode() is bench.session.scan
