"""Raters who correct what is on the panel: they take planes of the segmentation away, type their name, and save."""

from __future__ import annotations

from vtkmodules.util.numpy_support import vtk_to_numpy

from MedSegAI.Session.expert_review import ExpertReview
from MedSegAI.Session.run import Outcome
from Testing.Widgets.panel_bench import PanelBench


class ExpertsAtWork:
    """Both panels of the experts over one session, and raters who use them.

    Args:
        bench: Session and widgets; the scan is segmented already.
        folder: Where the corrections go.
    """

    def __init__(self, bench: PanelBench, folder: object) -> None:
        from MedSegAI.Widgets.consensus_panel import ConsensusPanel
        from MedSegAI.Widgets.experts_panel import ExpertsPanel

        self.bench, self.ui, self.session = bench, bench.ui, bench.session
        self.review = ExpertReview(bench.session)
        self.experts = ExpertsPanel(bench.ui, bench.session, self.review)
        self.writing = []
        begun = self.writing.append
        self.consensus = ConsensusPanel(bench.ui, bench.session, self.review, writing=lambda: begun(True))
        for section in (self.ui.expertsSection, self.ui.consensusSection):
            section.collapsed = False
        self.type_into(self.ui.journalEdit, str(folder))
        self.refresh()

    def refresh(self) -> None:
        """Show the session's state, as the module's timer does."""
        self.experts.refresh()
        self.consensus.refresh()

    def type_into(self, edit: object, text: str) -> None:
        """Type a text and leave the line."""
        edit.setText(text)
        edit.editingFinished.emit()

    def press(self, name: str) -> object:
        """Press a button, and work through what it began."""
        button = getattr(self.ui, name)
        assert button.enabled, f"{name} cannot be pressed"
        button.click()
        self.refresh()
        run = self.bench.work_through()
        self.refresh()
        return run

    def correct(self, rater: str, planes: slice | None, *, button: str = "saveFinalButton", role: str = "") -> None:
        """One rater begins with the AI's result, takes planes away, and saves."""
        self.press("startAnewButton")
        voxels, image = voxels_of(self.session.segmentation)
        if planes is not None:
            voxels[planes] = 0
            image.Modified()
        self.type_into(self.ui.raterEdit, rater)
        self.type_into(self.ui.raterRoleEdit, role)
        self.ui.commentEdit.setText(f"by {rater}")
        run = self.press(button)
        assert run.outcome is Outcome.DONE, run.error

    def column(self, number: int) -> list[str]:
        """What the table of raters says in a column."""
        table = self.ui.ratersTable
        return [table.item(row, number).text() for row in range(table.rowCount)]

    def select(self, *rows: int) -> None:
        """Select rows of the table of raters."""
        self.ui.ratersTable.clearSelection()
        for row in rows:
            for column in range(self.ui.ratersTable.columnCount):
                self.ui.ratersTable.item(row, column).setSelected(True)


def voxels_of(node: object) -> tuple[object, object]:
    """The first layer's voxels (k, j, i), and the image that tells of a change."""
    image = node.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap")
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1]), image
