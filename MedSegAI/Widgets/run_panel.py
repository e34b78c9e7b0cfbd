"""The panel that starts, shows and stops work: device, engine, Segment, progress, time left, Cancel, errors."""

from __future__ import annotations

import types

import slicer
from slicer.i18n import tr as _

from MedSegAI.Bridge.segmentation_nodes import read_provenance
from MedSegAI.Logic.inference.engines.kinds import offered_engines
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.settings import EngineChoice
from MedSegAI.Session.run import Outcome, Run, RunKind
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.dependencies import has_torch
from MedSegAI.Widgets.problem_line import problems_shown_in, show_sentence
from MedSegAI.Widgets.quiet_widgets import show_choices

_SECONDS_TOLD_AS_MINUTES = 90


class RunPanel:
    """Drives the session's work; what is shown is the session's run.

    Args:
        ui: The widgets by name.
        session: The case.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session) -> None:
        self._ui, self._session = ui, session
        ui.deviceCombo.connect("activated(int)", self._choose_device)
        ui.engineCombo.connect("activated(int)", self._choose_engine)
        ui.segmentButton.connect("clicked(bool)", self.segment)
        ui.cancelButton.connect("clicked(bool)", self.cancel)

    def refresh(self) -> None:
        """Show the choices, what is still needed, and the run."""
        session, ui = self._session, self._ui
        show_choices(ui.deviceCombo, _devices(), chosen=session.choices.device.value)
        show_choices(ui.engineCombo, _engines(session.choices.engine), chosen=session.choices.engine.value)
        obstacle = session.obstacle() if has_torch() else _("PyTorch is not installed; open Set-up to install it.")
        show_sentence(ui.obstacleLabel, obstacle)
        ui.segmentButton.setEnabled(not obstacle and not session.is_busy)
        ui.deviceCombo.setEnabled(not session.is_busy)
        ui.engineCombo.setEnabled(not session.is_busy)
        made = None if session.segmentation is None else read_provenance(session.segmentation)
        show_sentence(ui.engineLabel, "" if made is None else made_sentence(made))
        self.refresh_run()

    def refresh_run(self) -> None:
        """Show how far the work is; cheap enough for every report of the worker."""
        run, ui = self._session.run, self._ui
        busy = self._session.is_busy
        ui.cancelButton.setEnabled(busy and run.can_be_cancelled)
        # A bar without a range moves by itself: the work has begun, but not yet said how long it is.
        unknown = busy and (run.total == 0 or run.is_finishing)
        ui.progressBar.setRange(0, 0 if unknown else 100)
        ui.progressBar.setValue(run.percent if busy else 0)
        ui.progressBar.setTextVisible(busy and not unknown)
        ui.statusLabel.setText(_("Ready") if run is None else run_sentence(run))
        failed = run is not None and run.outcome is Outcome.FAILED
        ui.statusLabel.setStyleSheet("color: #c0392b" if failed else "")
        show_sentence(ui.planLabel, "\n".join(run.messages) if run is not None else "")

    def segment(self, _checked: bool = False) -> None:
        """Begin to segment; where the user corrected the present result, ask first."""
        question = self._session.question()
        if question and not slicer.util.confirmYesNoDisplay(question, windowTitle="MedSegAI"):
            return
        with problems_shown_in(self._ui.problemLabel):
            self._session.start_segment()

    def cancel(self, _checked: bool = False) -> None:
        """Stop what is being computed."""
        self._session.cancel()

    def _choose_device(self, index: int) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.choose(device=self._ui.deviceCombo.itemData(index))

    def _choose_engine(self, index: int) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.choose(engine=self._ui.engineCombo.itemData(index))


def _devices() -> tuple[tuple[str, str], ...]:
    return (
        (_("Automatic"), "auto"),
        (_("Graphics card (CUDA)"), "cuda"),
        (_("Processor (CPU)"), "cpu"),
    )


def _engines(chosen: EngineChoice) -> tuple[tuple[str, str], ...]:
    return tuple((title or _("Automatic"), choice.value) for choice, title in offered_engines(besides=chosen))


def run_sentence(run: Run) -> str:
    """How a run stands, as a sentence."""
    what = _kinds()
    if run.outcome is Outcome.FAILED:
        return _("{what} failed. {reason}").format(what=what[run.kind], reason=run.error)
    if run.outcome is Outcome.CANCELLED:
        return _("{what} cancelled.").format(what=what[run.kind])
    if run.outcome is Outcome.STOPPING:
        return _("{what}: stopping").format(what=what[run.kind])
    if run.outcome is Outcome.DONE:
        return _("{what} done in {seconds:.1f} s.").format(what=what[run.kind], seconds=run.seconds)
    if run.is_finishing:
        return _("{what}: showing the result").format(what=what[run.kind])
    if run.total == 0:
        return _("{what}: starting").format(what=what[run.kind])
    step = _("{what}: {stage}, {done} of {total}")
    told = step.format(what=what[run.kind], stage=run.stage, done=run.done, total=run.total)
    left = run.seconds_left
    return told if left is None else _("{step}, {left} left").format(step=told, left=duration(left))


def _kinds() -> dict[RunKind, str]:
    return {
        RunKind.EXAMINE: _("Set-up check"),
        RunKind.SEGMENT: _("Segmentation"),
        RunKind.EXPLAIN: _("Heat map"),
        RunKind.PREPARE: _("Preparation"),
        RunKind.ALIGN: _("Alignment"),
        RunKind.RECORD: _("Saving the correction"),
        RunKind.SHOW: _("Outlines"),
        RunKind.FUSE: _("Consensus"),
        RunKind.REFINE: _("Refinement"),
    }


def made_sentence(made: Provenance) -> str:
    """How a segmentation was made: model, engine, device and time."""
    told = _("Made by {model} {version} with {engine} on {device} in {seconds:.1f} s.")
    name, _colon, card = made.device.partition(" (")
    device = _("the graphics card {name}").format(name=card.removesuffix(")") or name)
    if name == "cpu":
        device = _("the processor")
    engine = {"torch eager": "PyTorch"}.get(made.engine, made.engine)
    return told.format(model=made.model, version=made.model_version, engine=engine, device=device, seconds=made.seconds)


def duration(seconds: float) -> str:
    """A time, as roughly as it is known."""
    if seconds >= _SECONDS_TOLD_AS_MINUTES:
        return _("about {minutes} min").format(minutes=round(seconds / 60))
    return _("about {seconds} s").format(seconds=max(1, round(seconds)))
