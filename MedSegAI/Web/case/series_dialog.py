"""The DICOM series that an upload holds, to choose from, where there are several."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Logic.files.dicom.found_series import FoundSeries
from MedSegAI.Web.case.controls import button
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "series_title": "Several series were found",
    "series_choose": "Choose what to open. If a model has several inputs, each takes the series its name speaks for.",
    "series_images": "images",
    "series_open": "Open",
    "series_open_tip": "Open the series that are ticked",
    "series_cancel": "Cancel",
    "series_cancel_tip": "Open none of them",
}


@dataclass
class SeriesState:
    """What the dialog shows."""

    open: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    chosen: list[int] = field(default_factory=list)


class SeriesDialog(Panel[SeriesState]):
    """The chooser of series."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, SeriesState)
        self._folder: Path | None = None
        self._found: tuple[FoundSeries, ...] = ()

    def build(self) -> None:
        """Add it, closed."""
        names = self.names
        with (
            vuetify.VDialog(v_model=(names.open,), max_width=700, persistent=True, scrollable=True),
            vuetify.VCard(title=("t.series_title",), raw_attrs=['data-testid="series-dialog"']),
        ):
            with vuetify.VCardText(style="max-height:60vh"):
                html.Div("{{ t.series_choose }}", classes="text-body-2 mb-3")
                with html.Div(
                    v_for=f"row in {names.rows}",
                    key=("row.index",),
                    classes="mb-2",
                    raw_attrs=[':data-testid="`series-${row.index}`"'],
                ):
                    self._row()
            with vuetify.VCardActions():
                vuetify.VSpacer()
                button("series-cancel", click=f"{names.open} = false", variant="text")
                button(
                    "series-open",
                    # What was ticked comes along: the state may arrive after the click.
                    click=(self._open, f"[{names.chosen}]"),
                    variant="tonal",
                    color="primary",
                    disabled=(f"!{names.chosen}.length",),
                )

    def refresh(self) -> None:
        """Nothing here depends on the session."""

    def ask(self, folder: Path, found: tuple[FoundSeries, ...]) -> None:
        """Show the series in a folder; the first one that can be read is ticked.

        Args:
            folder: Where their files lie.
            found: All of them, also those that cannot be read, which say why.
        """
        self._folder, self._found = folder, found
        self.shown.rows = [self._as_shown(index, one) for index, one in enumerate(found)]
        self.shown.chosen = [index for index, one in enumerate(found) if one.usable][:1]
        self.shown.open = True

    def _row(self) -> None:
        names = self.names
        vuetify.VCheckbox(
            v_model=(names.chosen,),
            value=("row.index",),
            label=("row.title",),
            disabled=("!row.usable",),
            hide_details=True,
            density="compact",
            color="primary",
            raw_attrs=[':data-testid="`series-choice-${row.index}`"', ':aria-label="row.title"'],
        )
        html.Div(
            "{{ [row.kind, row.size, row.count + ' ' + t.series_images, row.whose].filter(Boolean).join(', ') }}",
            classes="text-caption text-medium-emphasis ml-10",
        )
        html.Div(
            "{{ row.remark }}",
            v_show=("row.remark",),
            classes=("row.usable ? 'text-caption text-medium-emphasis ml-10' : 'text-caption text-error ml-10'",),
        )

    async def _open(self, chosen: list[int]) -> None:
        self.shown.open = False
        wanted = [self._found[index] for index in sorted(int(index) for index in chosen)]
        await self.case.attempt_long(lambda: self.case.opening.series(self._folder, wanted))

    def _as_shown(self, index: int, found: FoundSeries) -> dict[str, Any]:
        number = "" if found.number is None else f" ({found.number})"
        return {
            "index": index,
            "title": f"{found.description or found.uid}{number}",
            "kind": found.modality,
            "size": _size(found),
            "count": found.frame_count or found.file_count,
            "whose": " ".join(part for part in (found.patient, found.study_date) if part),
            "usable": found.usable,
            "remark": self.case.files.without_folder(found.problem or " ".join(found.notes)),
        }


def _size(found: FoundSeries) -> str:
    if found.size is None or found.spacing is None:
        return ""
    size = " x ".join(str(count) for count in found.size)
    return f"{size} ({' x '.join(f'{value:.3g}' for value in found.spacing)} mm)"
