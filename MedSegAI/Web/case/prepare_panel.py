"""A scan is brought into shape: choose a step, apply it, and look at it before and after."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Logic.volume import Modality
from MedSegAI.Session.step_offers import StepNeed, StepOffer, StepSetting
from MedSegAI.Web.case.controls import button, choice, file_chooser, heading, note, press
from MedSegAI.Web.case.panel import Panel
from MedSegAI.Web.case.step_settings import add_settings

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "prepare_title": "Prepare the scan",
    "prepare_about": "A step makes a new volume that takes the scan's place; the one before is kept.",
    "prepare_no_scan": "Open a scan first.",
    "prepare_kind": "What kind of scan is it?",
    "prepare_kind_tip": "The file does not say; the steps that fit depend on it",
    "prepare_kind_ct": "CT",
    "prepare_kind_mr": "MR",
    "prepare_kind_pt": "PET",
    "prepare_step": "Step",
    "prepare_step_tip": "What is done to the scan; only steps for this kind of scan are offered",
    "prepare_settings": "Settings",
    "prepare_settings_tip": "Show or hide the step's settings; they are good for most scans as they are",
    "prepare_reference": "Scan to follow",
    "prepare_reference_tip": "The scan whose grey values this one gets",
    "prepare_file": "Landmarks",
    "prepare_file_tip": "A file of landmarks, as 'medsegai standardise' learns them from a set of scans",
    "prepare_apply": "Apply",
    "prepare_apply_tip": "Apply the step to this scan, after the steps that were applied already",
    "prepare_stage": "Show",
    "prepare_stage_after": "After",
    "prepare_stage_before": "Before",
    "prepare_stage_log_bias_field": "Bias field",
    "prepare_done": "What was done",
    "step_hounsfield": "Hounsfield units",
    "step_hu_offset": "Hounsfield offset of the scanner",
    "step_ct_clip": "Air and metal clipping",
    "step_window": "Window and level",
    "step_n4": "Bias field correction (N4)",
    "step_nyul": "Histogram landmarks (Nyul)",
    "step_histogram_match": "Histogram matching to a reference",
    "step_z_score": "Robust z-score",
    "step_percentile": "Percentiles to 0..1",
    "step_suv": "Standardised uptake values (SUV)",
}

_KINDS = "['CT', 'MR', 'PT'].map((value) => ({ title: t['prepare_kind_' + value.toLowerCase()], value }))"


@dataclass
class PrepareState:
    """What the panel shows."""

    scan: str = ""
    kind: str = ""
    steps: list[dict[str, str]] = field(default_factory=list)
    step: str = ""
    settings: list[dict[str, Any]] = field(default_factory=list)
    settings_shown: bool = False
    needs: str = StepNeed.NOTHING.value
    references: list[dict[str, str]] = field(default_factory=list)
    reference: str = ""
    file: str = ""
    stages: list[str] = field(default_factory=list)
    stage: str = ""
    sentences: list[str] = field(default_factory=list)
    busy: bool = False


class PreparePanel(Panel[PrepareState]):
    """Steps of preparation, and what they did."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, PrepareState)
        self._typed: dict[str, dict[str, Any]] = {}
        self._file: Path | None = None

    def build(self) -> None:
        """Add the choice of the step with its settings, what is shown, and what was done."""
        names = self.names
        heading("prepare_title")
        note("t.prepare_no_scan", shown_if=f"!{names.scan}")
        with html.Div(v_show=(f"!!{names.scan}",)):
            note(names.scan, testid="prepare-scan")
            note("t.prepare_about")
            with html.Div(v_show=(f"{names.kind} === '{Modality.UNKNOWN.value}'",)):
                choice(
                    "prepare-kind",
                    model=names.kind,
                    items=_KINDS,
                    disabled=(names.busy,),
                    update_modelValue=(self.acts(self._say_kind), "[$event]"),
                )
            choice(
                "prepare-step",
                model=names.step,
                items=f"{names.steps}.map(({{ title, value }}) => "
                "({ title: t['step_' + value.replaceAll('-', '_')] || title, value }))",
                update_modelValue=(self.acts(self._choose), "[$event]"),
            )
            self._what_it_needs()
            with html.Div(v_show=(f"{names.settings}.length",), classes="mt-2"):
                button(
                    "prepare-settings",
                    icon="mdi-chevron-down",
                    click=f"{names.settings_shown} = !{names.settings_shown}",
                    variant="text",
                )
                with html.Div(v_show=(names.settings_shown,)):
                    add_settings(names.settings, changed=self.acts(self._set))
            button(
                "prepare-apply",
                icon="mdi-tune-variant",
                click=self.acts(self.apply),
                color="primary",
                variant="flat",
                classes="mt-3",
                disabled=(f"{names.busy} || !{names.step}",),
            )
            self._stages()
            self._sentences()

    def refresh(self) -> None:
        """Take over the scan, the steps that fit it, and what was done to it."""
        preparation, shown = self.case.preparation, self.shown
        scan = preparation.scan
        shown.scan = "" if scan is None else scan.GetName()
        shown.kind, shown.busy = preparation.modality.value, self.session.is_busy
        offers = {offer.kind: offer for offer in preparation.offers}
        shown.steps = [{"title": offer.title, "value": offer.kind} for offer in offers.values()]
        if shown.step not in offers:
            shown.step = next(iter(offers), "")
        self._show_step(offers.get(shown.step))
        shown.stages = ["after", *(["before"] if preparation.has_before else []), *preparation.extras]
        shown.stage, shown.sentences = preparation.stage, list(preparation.sentences)

    def apply(self) -> None:
        """Begin the chosen step."""
        if self.session.is_busy:
            return
        preparation, step = self.case.preparation, self.shown.step
        reference = self.session.scene.GetNodeByID(self.shown.reference) if self.shown.reference else None
        typed = self._typed.get(step, {})
        preparation.start(preparation.chosen(step, typed, reference=reference, file=self._file))

    async def take_file(self, folder: Path) -> None:
        """Take an uploaded file of landmarks for the step that needs one."""
        self._file = next((path for path in sorted(folder.rglob("*")) if path.is_file()), None)
        with self.case.server.state:
            self.shown.file = "" if self._file is None else self._file.name

    def _what_it_needs(self) -> None:
        names = self.names
        with html.Div(v_show=(f"{names.needs} === '{StepNeed.SCAN.value}'",)):
            choice("prepare-reference", model=names.reference, items=names.references)
        with html.Div(v_show=(f"{names.needs} === '{StepNeed.FILE.value}'",), classes="mt-2"):
            button("prepare-file", icon="mdi-file-upload-outline", click=press("chooseLandmarks"))
            note(names.file, testid="prepare-file-name", shown_if=f"!!{names.file}")
        failed = self.case.server.trigger_name(self.case.upload_failed)
        file_chooser("chooseLandmarks", "landmarks-chooser", failed=failed, address="upload/landmarks")

    def _stages(self) -> None:
        names = self.names
        with (
            html.Div(v_show=(f"{names.stages}.length > 1",), classes="mt-3"),
            html.Div(classes="d-flex ga-1 flex-wrap align-center"),
        ):
            html.Span("{{ t.prepare_stage }}", classes="text-caption text-medium-emphasis mr-1")
            with vuetify.VBtn(
                v_for=f"stage in {names.stages}",
                key=("stage",),
                size="small",
                density="comfortable",
                variant=(f"stage === {names.stage} ? 'flat' : 'tonal'",),
                color=(f"stage === {names.stage} ? 'primary' : undefined",),
                click=(self.acts(self._show), "[stage]"),
                raw_attrs=[':data-testid="`prepare-stage-${stage}`"', f':aria-pressed="stage === {names.stage}"'],
            ):
                html.Span("{{ t['prepare_stage_' + stage] || stage }}")

    def _sentences(self) -> None:
        names = self.names
        with html.Div(v_show=(f"{names.sentences}.length",), classes="mt-3"):
            html.Div("{{ t.prepare_done }}", classes="text-caption")
            with html.Ol(classes="text-caption text-medium-emphasis pl-4", raw_attrs=['data-testid="prepare-done"']):
                html.Li("{{ sentence }}", v_for=f"(sentence, index) in {names.sentences}", key=("index",))

    def _show_step(self, offer: StepOffer | None) -> None:
        shown = self.shown
        shown.needs = (StepNeed.NOTHING if offer is None else offer.needs).value
        typed = {} if offer is None else self._typed.get(offer.kind, {})
        shown.settings = [] if offer is None else [_as_shown(setting, typed) for setting in offer.settings]
        nodes = self.case.preparation.references
        shown.references = [{"title": node.GetName(), "value": node.GetID()} for node in nodes]
        if shown.reference not in {node.GetID() for node in nodes}:
            shown.reference = nodes[0].GetID() if nodes else ""

    def _say_kind(self, kind: str) -> None:
        self.case.preparation.take_for(Modality(kind))

    def _choose(self, step: str) -> None:
        self.shown.step = step

    def _set(self, name: str, value: Any) -> None:
        self._typed.setdefault(self.shown.step, {})[name] = value

    def _show(self, stage: str) -> None:
        with self.case.views.drawn_once():
            self.case.preparation.show(stage)


def _as_shown(setting: StepSetting, typed: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": setting.name,
        "title": setting.title,
        "kind": setting.kind.value,
        "value": typed.get(setting.name, setting.value),
        "options": list(setting.options),
    }
