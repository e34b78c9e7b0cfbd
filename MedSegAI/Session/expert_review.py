"""Several experts correct one case: their corrections are kept, shown side by side, fused and compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from MedSegAI.Bridge.rater_nodes import rater_node
from MedSegAI.Bridge.segmentation_copies import unaltered_copy
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, read_provenance
from MedSegAI.Bridge.slice_composites import centre_slices_at_lps
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.agreement.fused import agreement_with_fused
from MedSegAI.Logic.agreement.places import Place
from MedSegAI.Logic.agreement.results import CaseAgreement
from MedSegAI.Logic.consensus.consensus import Consensus
from MedSegAI.Logic.consensus.fuse import FuseSettings, Method, fuse
from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.corrections.case_folder import case_folder
from MedSegAI.Logic.corrections.case_ratings import case_ratings
from MedSegAI.Logic.corrections.entry import Entry, Status
from MedSegAI.Logic.corrections.journal import JOURNAL, Journal, read_journal
from MedSegAI.Logic.corrections.masks import import_mask, read_mask
from MedSegAI.Logic.corrections.record import Rater, record_correction, withdraw
from MedSegAI.Logic.corrections.replay import segmentation_after
from MedSegAI.Logic.corrections.scan_reference import reference_of_volume
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.report.agreement_report import write_agreement_report
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.worker.thread_job import ThreadJob
from MedSegAI.Session.consensus_nodes import show_consensus, show_disagreement, show_rater, show_threshold
from MedSegAI.Session.rater_rows import RaterRow, rater_rows
from MedSegAI.Session.run import Run, RunKind
from MedSegAI.Session.session import Session, SessionEvent

MARGIN_MM = 10.0
"""What is counted around the votes: STAPLE's prior and every specificity depend on how much background is."""


@dataclass(frozen=True, eq=False)
class FusedCase:
    """The raters that were fused, what came of it, and how well they agree."""

    ratings: Ratings
    consensus: Consensus
    agreement: CaseAgreement


class ExpertReview:
    """The experts' side of a case.

    Corrections lie in the case's journal, a folder that is only ever added to; what is shown of them lies in the
    scene. Long work runs as the session's, one piece at a time.

    Args:
        session: The case.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._place = -1
        self._last: tuple[FusedCase, object, object, Path] | None = None
        self._stop_observing = session.observe(self._on_change)

    @property
    def fused(self) -> FusedCase | None:
        """What was fused last; None once its consensus was undone, or another scan or folder was chosen."""
        if self._last is None:
            return None
        case = (self._session.consensus, self._session.scan, self.folder)
        return self._last[0] if case == self._last[1:] else None

    @property
    def folder(self) -> Path:
        """Where the case's corrections are kept; it need not exist yet."""
        chosen = self._session.choices.journal
        if chosen:
            return Path(chosen)
        return case_folder("case" if self._session.scan is None else self._session.scan.GetName())

    def journal(self) -> Journal:
        """The case's journal as it is now; an empty one where nobody has corrected anything.

        Raises:
            InputError: if an entry was edited, so that it cannot be trusted.
        """
        folder = self.folder
        return read_journal(folder) if (folder / JOURNAL).is_file() else Journal(folder, ())

    def rows(self) -> tuple[RaterRow, ...]:
        """One row a rater; raises as :meth:`journal`."""
        agreement = None if self.fused is None else self.fused.agreement
        return rater_rows(self.journal(), self._session.scene, agreement)

    # Corrections --------------------------------------------------------------------------------------------------

    def start_record(self, status: Status, *, comment: str = "") -> Run:
        """Begin to put what the rater changed in the current segmentation into the journal.

        Raises:
            InputError: if there is no segmentation, nobody knows what it was before, or the rater has no name.
        """
        rater, before, after = self._rater(), self._as_made(), self._current()
        folder, scan = self.folder, node_to_volume(self._wanted_scan())

        def work(_reporter: Reporter) -> Entry | None:
            reference = reference_of_volume(scan)
            return record_correction(folder, before, after, rater=rater, status=status, comment=comment, scan=reference)

        return self._start(RunKind.RECORD, work, finish=self._recorded)

    def start_import(self, path: str | os.PathLike[str], *, rater: Rater, status: Status = Status.FINAL) -> Run:
        """Begin to read a rater's mask from a file and put it into the journal.

        Raises:
            InputError: if there is no segmentation that the mask is a correction of.
        """
        folder, base, scan = self.folder, self._as_made(), node_to_volume(self._wanted_scan())

        def work(_reporter: Reporter) -> Entry | None:
            reference = reference_of_volume(scan)
            return import_mask(folder, read_mask(path), rater=rater, base=base, status=status, scan=reference)

        return self._start(RunKind.RECORD, work, finish=self._recorded)

    def withdraw(self, rater: str, *, comment: str = "") -> None:
        """Note that a rater's latest word no longer counts; raises as ``Logic.corrections.record.withdraw``."""
        standing = self.journal().standing(rater)
        if standing is None:
            raise InputError(f"'{rater}' has no correction that counts.", advice="There is nothing to withdraw.")
        withdraw(self.folder, standing.number, rater=Rater(rater, standing.role), comment=comment)
        self._session.tell(SessionEvent.CASE)

    # Showing ------------------------------------------------------------------------------------------------------

    def start_show(self, *raters: str) -> Run:
        """Begin to show the outlines of these raters beside what is shown already; raises as :meth:`journal`."""
        journal, scan = self.journal(), self._wanted_scan()
        entries = {rater: standing for rater in raters if (standing := journal.standing(rater)) is not None}

        def work(_reporter: Reporter) -> dict[str, Segmentation]:
            return {rater: segmentation_after(journal, entry) for rater, entry in entries.items()}

        def finish(states: dict[str, Segmentation]) -> Iterator[None]:
            for number, (rater, state) in enumerate(states.items()):
                self._refuse_another_case(scan, journal.folder)
                with self._session.state.one_undo_state("show raters", continues=number > 0):
                    show_rater(scan, journal, entries[rater], state)
                yield

        return self._start(RunKind.SHOW, work, finish=finish)

    def start_compare(self, first: str, second: str) -> Run:
        """Begin to show the outlines of two raters, and of no others."""
        for row in self.rows():
            if row.rater not in (first, second):
                self.hide(row.rater)
        return self.start_show(first, second)

    def hide(self, rater: str) -> None:
        """Take a rater's outlines out of the views."""
        node = rater_node(self._session.scene, rater)
        if node is not None:
            node.SetDisplayVisibility(False)
            self._session.tell(SessionEvent.CASE)

    # Consensus ----------------------------------------------------------------------------------------------------

    def start_fuse(self) -> Run:
        """Begin to fuse the raters' corrections and to measure how well they agree; raises as :meth:`journal`."""
        journal, choices = self.journal(), self._session.choices
        statuses = (Status.FINAL, Status.DRAFT) if choices.fuse_drafts else (Status.FINAL,)
        scan = self._wanted_scan()
        case = scan.GetName()

        def work(reporter: Reporter) -> FusedCase:
            ratings = case_ratings(journal, statuses=statuses)
            return fused_case(ratings, case=case, method=choices.fuse_method, reporter=reporter)

        def finish(fused: FusedCase) -> Iterator[None]:
            self._refuse_another_case(scan, journal.folder)
            return self._fused(fused)

        return self._start(RunKind.FUSE, work, finish=finish)

    def next_place(self) -> Place | None:
        """Move the slices to the next place of disagreement, the largest first; None where there is none."""
        places = () if self.fused is None else self.fused.agreement.places
        if not places:
            return None
        self._place = (self._place + 1) % len(places)
        centre_slices_at_lps(self._session.scene, places[self._place].centre_lps)
        return places[self._place]

    def report_writer(self) -> Callable[[str | os.PathLike[str]], object]:
        """Writes the report on the agreement into a folder; the writer touches no scene.

        Raises:
            InputError: if the raters were not fused yet.
        """
        if self.fused is None:
            raise InputError("There is nothing to report.", advice="Fuse the raters first.")
        fused, scan = self.fused, node_to_volume(self._wanted_scan())
        shown = fused.consensus.at(self._session.choices.fuse_threshold)
        return partial(
            write_agreement_report, agreement=fused.agreement, ratings=fused.ratings, scan=scan, consensus=shown
        )

    def close(self) -> None:
        """Observe the session no longer."""
        self._stop_observing()

    def _fused(self, fused: FusedCase) -> Iterator[None]:
        self._place = -1
        state, scan, text = self._session.state, self._wanted_scan(), "fuse the raters"
        with state.one_undo_state(text):
            show_consensus(state, scan, fused.consensus)
            self._last = (fused, self._session.consensus, scan, self.folder)
        yield
        # Undone in between, it is not wanted any more.
        if self.fused is fused:
            with state.one_undo_state(text, continues=True):
                show_disagreement(state, scan, fused.consensus)
        yield

    def _refuse_another_case(self, scan: object, folder: Path) -> None:
        """Refuse a result that comes after another scan or folder was chosen; raises InputError."""
        if self._session.scan is not scan or self.folder != folder:
            raise InputError("Another scan or folder was chosen meanwhile; nothing is shown.", advice="Try again.")

    def _recorded(self, entry: Entry | None) -> Iterator[None]:
        if entry is None:
            raise InputError("Nothing was changed since the last time.", advice="Correct the segmentation first.")
        yield

    def _on_change(self, event: SessionEvent) -> None:
        fused = self.fused if event is SessionEvent.CASE else None
        if fused is not None:
            show_threshold(self._session.state, fused.consensus)

    def _start(
        self, kind: RunKind, work: Callable[[Reporter], object], *, finish: Callable[..., Iterator[None]]
    ) -> Run:
        return self._session.work.start(kind, lambda run: ThreadJob(work, reporter=run, name=kind.value), finish=finish)

    def _rater(self) -> Rater:
        return Rater(self._session.choices.rater, self._session.choices.rater_role)

    def _wanted_scan(self) -> object:
        if self._session.scan is None:
            raise InputError("No scan was chosen.", advice="Open the scan that the corrections belong to.")
        return self._session.scan

    def _current(self) -> Segmentation:
        node = self._session.segmentation
        if node is None:
            raise InputError("There is no segmentation that could be corrected.", advice="Segment the scan first.")
        grid = node_to_volume(self._wanted_scan()).grid
        return Segmentation(*node_to_segmentation(node, grid=grid), read_provenance(node))

    def _as_made(self) -> Segmentation:
        current = self._session.segmentation
        made = None if current is None else unaltered_copy(current)
        if made is None:
            raise InputError(
                "Nobody knows what this segmentation was before it was corrected.",
                advice="Segment the scan with a model and correct that result.",
            )
        grid = node_to_volume(self._wanted_scan()).grid
        return Segmentation(*node_to_segmentation(made, grid=grid), read_provenance(current))


def fused_case(ratings: Ratings, *, case: str, method: Method, reporter: Reporter) -> FusedCase:
    """Fuse raters and measure their agreement; raises as ``fuse`` and ``agreement_with_fused``."""
    consensus = fuse(ratings, method=method, settings=FuseSettings(margin_mm=MARGIN_MM), reporter=reporter)
    return FusedCase(ratings, consensus, agreement_with_fused(ratings, consensus, case=case, reporter=reporter))
