"""The experts: who corrects, keeping a correction in the journal, and everybody's corrections so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Logic.corrections.entry import Status
from MedSegAI.Logic.corrections.record import Rater
from MedSegAI.Logic.errors import InputError, MedSegAIError
from MedSegAI.Session.begin_anew import begin_anew
from MedSegAI.Session.rater_rows import RaterRow
from MedSegAI.Session.run import Outcome, Run
from MedSegAI.Web.case.controls import button, choice, file_chooser, heading, hint, note, press, text_line
from MedSegAI.Web.case.panel import Panel
from MedSegAI.Web.case.raters_table import build_raters_table

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "experts_title": "Your correction",
    "experts_rater": "Your name",
    "experts_rater_tip": "The name under which your correction is kept; the same person always has the same",
    "experts_role": "Your role",
    "experts_role_tip": "Such as radiologist or student; may stay empty",
    "experts_comment": "Comment",
    "experts_comment_tip": "Free text, kept with the correction",
    "experts_draft": "Save draft",
    "experts_draft_tip": "Keep what you have corrected so far; you can go on later",
    "experts_final": "Save as final",
    "experts_final_tip": "Keep your correction as your last word, also where you have changed nothing",
    "experts_import": "Upload mask",
    "experts_import_tip": "Keep a mask that you drew elsewhere (.seg.nrrd, NIfTI, DICOM) as your final correction",
    "experts_anew": "Start anew",
    "experts_anew_tip": "Show the model's result as it was before anybody corrected it, for the next expert to begin",
    "experts_folder": "Folder of the corrections",
    "experts_folder_tip": "Where this case's corrections are kept on the computer that serves this page",
    "experts_raters": "Experts",
    "experts_none": "Nobody has kept a correction of this case yet.",
    "experts_first": "Compare",
    "experts_first_tip": "The first of two experts whose outlines are compared",
    "experts_second": "with",
    "experts_second_tip": "The second of two experts whose outlines are compared",
    "experts_compare": "Compare",
    "experts_compare_tip": "Show the outlines of these two, and of nobody else",
    "experts_withdraw_question": "Withdraw the correction of NAME? It stays in the journal, but no longer counts.",
}


@dataclass
class ExpertsState:
    """What the panel shows."""

    possible: bool = False
    busy: bool = False
    rater: str = ""
    role: str = ""
    comment: str = ""
    folder: str = ""
    remark: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    first: str = ""
    second: str = ""


class ExpertsPanel(Panel[ExpertsState]):
    """Keeps corrections, and lists and shows those of everybody."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, ExpertsState)
        self._saving: Run | None = None

    def build(self) -> None:
        """Add who corrects, the buttons that keep a correction, and the table."""
        names = self.names
        heading("experts_title")
        note("t.edit_needs_result", shown_if=f"!{names.possible}")
        for name, field_name in (("rater", "rater"), ("role", "rater_role")):
            text_line(f"experts-{name}", value=getattr(names, name), change=self._types(field_name))
        self._comment()
        self._buttons()
        with html.Div(classes="mt-5"):
            vuetify.VTextField(
                model_value=(names.folder,),
                label=("t.experts_folder",),
                readonly=True,
                density="compact",
                variant="underlined",
                hide_details=True,
                raw_attrs=['data-testid="experts-folder"', ':title="t.experts_folder_tip"'],
            )
        heading("experts_raters")
        html.Div(
            f"{{{{ {names.remark} }}}}",
            v_show=(f"!!{names.remark}",),
            classes="text-caption text-error",
            raw_attrs=['data-testid="experts-remark"'],
        )
        note("t.experts_none", shown_if=f"!{names.rows}.length && !{names.remark}")
        build_raters_table(
            names.rows, show=(self.acts(self._show), "[row.rater, !row.visible]"), withdraw=(self._ask, "[row.rater]")
        )
        self._comparison()

    def refresh(self) -> None:
        """Take over who corrects and, while this tab is looked at, what lies in the folder."""
        shown, session, review = self.shown, self.session, self.case.review
        shown.possible, shown.busy = session.segmentation is not None, session.is_busy
        shown.rater, shown.role = session.choices.rater, session.choices.rater_role
        shown.folder = str(review.folder)
        if self._saving is not None and not self._saving.is_under_way:
            # Where it could not be kept, the comment stays for the next try.
            if self._saving.outcome is Outcome.DONE:
                shown.comment = ""
            self._saving = None
        if self.case.page.shown.tab != "experts":
            return
        rows: tuple[RaterRow, ...] = ()
        try:
            rows, shown.remark = review.rows(), review.journal().note
        except MedSegAIError as error:
            shown.remark = str(error)
        except OSError as error:
            shown.remark = str(error)
        shown.rows = [_as_shown(row) for row in rows]
        self._keep_two_to_compare([row.rater for row in rows])

    async def take_mask(self, folder: Path) -> None:
        """Keep an uploaded mask as the rater's correction."""
        self.case.attempt(lambda: self._import(folder))

    def _keep_two_to_compare(self, raters: list[str]) -> None:
        shown = self.shown
        if shown.first not in raters:
            shown.first = raters[0] if raters else ""
        if shown.second not in raters or shown.second == shown.first:
            shown.second = next((rater for rater in raters if rater != shown.first), "")

    # Building -----------------------------------------------------------------------------------------------------

    def _comment(self) -> None:
        with html.Div(classes="mt-3"):
            vuetify.VTextarea(
                v_model=(self.names.comment,),
                label=("t.experts_comment",),
                rows=2,
                auto_grow=True,
                density="compact",
                variant="outlined",
                hide_details=True,
                raw_attrs=['data-testid="experts-comment"', ':aria-label="t.experts_comment"'],
            )
            hint("experts_comment_tip", location="end")

    def _buttons(self) -> None:
        names = self.names
        stopped = (f"!{names.possible} || {names.busy}",)
        with html.Div(classes="d-flex ga-2 flex-wrap mt-3"):
            for name, status, icon in (("draft", Status.DRAFT, "mdi-pencil"), ("final", Status.FINAL, "mdi-check")):
                button(
                    f"experts-{name}",
                    icon=icon,
                    click=(self.acts(lambda comment, status=status: self._save(status, comment)), f"[{names.comment}]"),
                    disabled=stopped,
                    **({"color": "primary", "variant": "flat"} if status is Status.FINAL else {}),
                )
            button("experts-anew", icon="mdi-restore", click=self.acts(self._begin_anew), disabled=stopped)
            button("experts-import", icon="mdi-upload", click=press("chooseMask"), disabled=stopped)
        failed = self.case.server.trigger_name(self.case.upload_failed)
        file_chooser("chooseMask", "mask-chooser", failed=failed, address="upload/mask")

    def _comparison(self) -> None:
        names = self.names
        listed = f"{names.rows}.map((row) => row.rater)"
        # The class d-flex wins over what v-show does.
        with html.Div(v_show=(f"{names.rows}.length > 1",)), html.Div(classes="d-flex ga-2 align-center"):
            for name in ("first", "second"):
                with html.Div(style="flex:1;min-width:0"):
                    choice(f"experts-{name}", model=getattr(names, name), items=listed)
            button(
                "experts-compare",
                click=(self.acts(self._compare), f"[{names.first}, {names.second}]"),
                disabled=(f"{names.busy} || {names.first} === {names.second}",),
                classes="mt-3",
            )

    # Acting -------------------------------------------------------------------------------------------------------

    def _types(self, name: str) -> tuple[object, str]:
        return self.acts(lambda text: self.session.choose(**{name: text.strip()})), "[$event.target.value]"

    def _save(self, status: Status, comment: str) -> None:
        self._saving = self.case.review.start_record(status, comment=comment.strip())

    def _begin_anew(self) -> None:
        begin_anew(self.session)

    def _import(self, folder: Path) -> None:
        files = [path for path in folder.rglob("*") if path.is_file()]
        if len(files) != 1:
            raise InputError(f"{len(files)} files were uploaded.", advice="Choose the one file that holds the mask.")
        choices = self.session.choices
        self.case.review.start_import(files[0], rater=Rater(choices.rater, choices.rater_role))

    def _show(self, rater: str, visible: bool) -> None:
        if visible:
            self.case.review.start_show(rater)
        else:
            self.case.review.hide(rater)

    def _compare(self, first: str, second: str) -> None:
        self.case.review.start_compare(first, second)

    def _ask(self, rater: str) -> None:
        question = self.case.server.state.t["experts_withdraw_question"].replace("NAME", rater)
        self.case.dialogs.ask(question, lambda: self.case.review.withdraw(rater))


def _as_shown(row: RaterRow) -> dict[str, Any]:
    red, green, blue = (round(255 * part) for part in row.colour)
    measured = {"dice": row.dice, "sensitivity": row.sensitivity, "specificity": row.specificity}
    return {
        "rater": row.rater,
        "role": row.role,
        "status": row.status,
        "time": row.time[:16].replace("T", " "),
        "comment": row.comment,
        "colour": f"#{red:02x}{green:02x}{blue:02x}",
        "visible": row.visible,
        **{name: "" if value is None else f"{value:.3f}" for name, value in measured.items()},
    }
