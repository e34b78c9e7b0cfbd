"""The consensus: how the experts are fused, its threshold, where they disagree, and what can be taken along."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trame.widgets import client, html

from MedSegAI.Logic.consensus.disagreement import DISAGREEMENT_LEGEND
from MedSegAI.Logic.consensus.fuse import Method
from MedSegAI.Session.expert_review import FusedCase
from MedSegAI.Session.exports import consensus_writer, name_for_files
from MedSegAI.Web.case.controls import button, choice, heading, note, slider, switch
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "fuse_title": "Consensus",
    "fuse_method": "Method",
    "fuse_method_tip": "How several corrections become one; STAPLE weighs each expert by how well they fit the others",
    "fuse_staple": "STAPLE",
    "fuse_majority": "Majority vote",
    "fuse_simple": "SIMPLE (without outliers)",
    "fuse_drafts": "Count drafts, too",
    "fuse_drafts_tip": "Otherwise only final corrections are fused",
    "fuse_start": "Fuse",
    "fuse_start_tip": "Make one segmentation of everybody's corrections and measure how well they agree",
    "fuse_threshold": "Threshold",
    "fuse_threshold_tip": "A voxel belongs to the consensus where its probability is above this",
    "fuse_disagreement": "Show disagreement",
    "fuse_disagreement_tip": "Lay the map of where the experts disagree over the slices, in place of the heat map",
    "fuse_legend": f"The map {DISAGREEMENT_LEGEND}.",
    "fuse_next": "Next place of disagreement",
    "fuse_next_tip": "Move the slices to the next place where the experts disagree, the most uncertain first",
    "fuse_place": "Place",
    "fuse_of": "of",
    "fuse_report": "Report (.zip)",
    "fuse_report_tip": "The agreement as a page to read, a table (CSV) and a file for programs",
    "fuse_consensus": "Consensus (.seg.nrrd)",
    "fuse_consensus_tip": "The consensus at this threshold, with names, colours and codes; opens in 3D Slicer",
    "fuse_earlier": "This consensus is kept from earlier. Fuse again to move its threshold and to measure agreement.",
}
_LOWEST, _HIGHEST = 0.05, 0.95


@dataclass
class ConsensusState:
    """What the panel shows."""

    method: str = Method.STAPLE.value
    methods: list[str] = field(default_factory=list)
    drafts: bool = False
    threshold: float = 0.5
    disagreement: bool = False
    has_map: bool = False
    fused: bool = False
    earlier: bool = False
    places: int = 0
    place: int = 0
    place_sentence: str = ""
    sentences: list[str] = field(default_factory=list)
    busy: bool = False
    possible: bool = False
    writing: str = ""


class ConsensusPanel(Panel[ConsensusState]):
    """Fuses the experts' corrections and shows how well they agree."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, ConsensusState)
        self.shown.methods = [method.value for method in Method]
        self._shows: FusedCase | None = None

    def build(self) -> None:
        """Add the choices, the button that fuses, and what is seen once the experts were fused."""
        names = self.names
        heading("fuse_title")
        choice(
            "fuse-method",
            model=names.method,
            items=f"{names.methods}.map((value) => ({{ title: t['fuse_' + value], value }}))",
            update_modelValue=(self.acts(lambda name: self.session.choose(fuse_method=Method(name))), "[$event]"),
        )
        switch(
            "fuse-drafts",
            model=names.drafts,
            update_modelValue=(self.acts(lambda on: self.session.choose(fuse_drafts=on)), "[$event]"),
        )
        button(
            "fuse-start",
            icon="mdi-set-merge",
            click=self.acts(self._fuse),
            disabled=(f"{names.busy} || !{names.possible}",),
            color="primary",
            variant="flat",
        )
        note("t.fuse_earlier", shown_if=names.earlier)
        with html.Div(v_show=(names.fused,)):
            slider(
                "fuse-threshold",
                model=names.threshold,
                low=_LOWEST,
                high=_HIGHEST,
                step=0.05,
                update_modelValue=(self.acts(self._set_threshold), "[$event]"),
            )
        self._disagreement()
        with html.Div(v_show=(names.fused,), raw_attrs=['data-testid="fuse-sentences"']):
            html.Div(
                "{{ sentence }}",
                v_for=f"sentence in {names.sentences}",
                key=("sentence",),
                classes="text-caption text-medium-emphasis mt-1",
            )
            self._downloads()

    def refresh(self) -> None:
        """Take over the choices, the consensus, and how well the experts agree."""
        shown, session, fused = self.shown, self.session, self.case.review.fused
        choices = session.choices
        shown.method, shown.drafts = choices.fuse_method.value, choices.fuse_drafts
        shown.threshold, shown.disagreement = choices.fuse_threshold, choices.show_disagreement
        shown.busy, shown.possible = session.is_busy, session.scan is not None
        shown.fused, shown.earlier = fused is not None, fused is None and session.consensus is not None
        shown.has_map = session.disagreement is not None
        if fused is self._shows:
            return
        self._shows = fused
        shown.place, shown.place_sentence = 0, ""
        shown.places = 0 if fused is None else len(fused.agreement.places)
        said = () if fused is None else (*fused.agreement.sentences, *fused.consensus.record.notes)
        shown.sentences = list(dict.fromkeys(said))

    def _disagreement(self) -> None:
        names = self.names
        with html.Div(v_show=(names.has_map,)):
            switch(
                "fuse-disagreement",
                model=names.disagreement,
                update_modelValue=(self.acts(self._show_disagreement), "[$event]"),
            )
            note("t.fuse_legend", testid="fuse-legend")
        with html.Div(v_show=(names.fused,), classes="mt-3"):
            button("fuse-next", icon="mdi-target", click=self.acts(self._next_place), disabled=(f"!{names.places}",))
            place = f"t.fuse_place + ' ' + {names.place} + ' ' + t.fuse_of + ' ' + {names.places}"
            note(f"{place} + ': ' + {names.place_sentence}", testid="fuse-place", shown_if=f"{names.place} > 0")

    def _downloads(self) -> None:
        names = self.names
        self._save = client.JSEval(exec="window.medsegai.save($event)")
        with html.Div(classes="d-flex ga-2 flex-wrap mt-3"):
            for name in ("report", "consensus"):
                button(
                    f"fuse-{name}",
                    icon="mdi-download",
                    click=self._writes(getattr(self, f"_write_{name}")),
                    disabled=(f"!!{names.writing}",),
                )
        note(f"t.export_writing + ' ' + {names.writing}", shown_if=f"!!{names.writing}")

    def _fuse(self) -> None:
        self.case.review.start_fuse()

    def _set_threshold(self, value: float) -> None:
        if float(value) != self.session.choices.fuse_threshold:
            self.session.choose(fuse_threshold=float(value))

    def _show_disagreement(self, shown: bool) -> None:
        # It lies where the heat map would, so nothing is seen of it where that is switched off.
        self.session.choose(show_disagreement=shown, **({"heat_in_slices": True} if shown else {}))

    def _next_place(self) -> None:
        place = self.case.review.next_place()
        if place is not None:
            agreement = self.case.review.fused.agreement
            self.shown.place = agreement.places.index(place) + 1
            self.shown.place_sentence = place.sentence(agreement.table)

    def _writes(self, write: Callable[[Path], object]) -> Callable[[], object]:
        async def act() -> None:
            await self.case.attempt_long(lambda: self._offer(write))

        return act

    async def _offer(self, write: Callable[[Path], object]) -> None:
        with self.case.server.state:
            self.shown.writing = self.session.scan.GetName()
        try:
            path = await write(self.case.files.new_folder())
        finally:
            with self.case.server.state:
                self.shown.writing = ""
        self._save.exec(self.case.files.offer(path))

    async def _write_report(self, folder: Path) -> Path:
        name = f"{name_for_files(self.session)}-agreement"
        return await self.case.in_thread(_written_as_zip, self.case.review.report_writer(), folder / name)

    async def _write_consensus(self, folder: Path) -> Path:
        path = folder / f"{name_for_files(self.session)}-consensus.seg.nrrd"
        await self.case.in_thread(consensus_writer(self.session, self.case.review.fused.consensus), path)
        return path


def _written_as_zip(write: Callable[[Path], object], folder: Path) -> Path:
    write(folder)
    packed = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{folder.name}/{path.name}")
    return packed
