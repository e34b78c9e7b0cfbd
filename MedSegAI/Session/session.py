"""The case that every face drives: its scans, choices, work under way and results, in one observable object."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path

import slicer
from undo_stack import UndoStack

from MedSegAI.Bridge.scan_attributes import SourceSeries, write_source
from MedSegAI.Bridge.scene import OpenScene, load_scene, save_scene
from MedSegAI.Bridge.segment_edits import is_edited
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.doctor import Check
from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Logic.models.registry import Model, model_folders, read_model
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.runner import Runner
from MedSegAI.Session import case_results
from MedSegAI.Session.case import Case
from MedSegAI.Session.case_state import CaseState
from MedSegAI.Session.choices import AFTER
from MedSegAI.Session.input_slots import input_role, input_slots, obstacle_in, place_for
from MedSegAI.Session.nodules import NoduleTable
from MedSegAI.Session.presentation import present
from MedSegAI.Session.run import Run, RunKind
from MedSegAI.Session.work import Work


class SessionEvent(str, Enum):
    """What observers are told."""

    CASE = "case"
    """Choices, inputs, results or what can be undone changed."""
    RUN = "run"
    """The work under way went on, began or ended."""


class Session(Case):
    """One case in one scene, driven by a face.

    All that belongs to the case is kept in the scene, so that an ``.mrb`` of it opened again is the same session; the
    work under way is not. Methods are called on the thread that owns the scene. Nothing here blocks for long:
    :meth:`poll`, called from a timer while something is under way, brings the work on.

    Args:
        opened: The scene; Slicer's own, or one for each browser window.
        runner: Who computes.
        undo_stack: One that the face's segment editor pushes its strokes on too; None makes one.
    """

    def __init__(self, opened: OpenScene, runner: Runner, *, undo_stack: UndoStack | None = None) -> None:
        self._opened = opened
        self.runner = runner
        self._observers: list[Callable[[SessionEvent], None]] = []
        self.undo_stack = undo_stack or UndoStack()
        self.checks: tuple[Check, ...] = ()
        self._warmed_up: tuple[object, ...] = ()
        self.work = Work(lambda: self.tell(SessionEvent.RUN))
        super().__init__(opened.mrml, CaseState(opened.mrml, undo_stack=self.undo_stack, changed=self._case_changed))
        self._undo_observer = self.undo_stack.index_changed.connect(lambda _index: self.tell(SessionEvent.CASE))
        scene = slicer.vtkMRMLScene
        self._tags = [
            self.scene.AddObserver(scene.StartCloseEvent, self._scene_leaves),
            self.scene.AddObserver(scene.StartImportEvent, self._scene_leaves),
            self.scene.AddObserver(scene.EndCloseEvent, self._scene_came),
            self.scene.AddObserver(scene.EndImportEvent, self._scene_came),
        ]

    @property
    def run(self) -> Run | None:
        """The work under way, or the last that was."""
        return self.work.run

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self.work.is_under_way

    # What the user does -------------------------------------------------------------------------------------------

    def choose(self, **changes: object) -> None:
        """Change some of the :class:`Choices`, in one undo state.

        Raises:
            InputError: for a value that the choice cannot have; nothing is changed then.
        """
        self.state.choose(**changes)

    def set_input(self, index: int, node: slicer.vtkMRMLScalarVolumeNode | None) -> None:
        """Choose the volume for one of the model's inputs, and show it.

        The first input's latest result, if any, comes with it.
        """
        if self.state.referenced(input_role(index)) is node:
            return
        with self.state.one_undo_state(f"choose {node.GetName()}" if node is not None else "choose no scan"):
            self.state.refer(**{input_role(index): node})
            self.state.choose(view_input=index, view_stage=AFTER)
            if index == 0:
                latest = None if node is None else case_results.latest_of(self.scene, node)
                self.state.refer(**{case_results.SEGMENTATION: latest, case_results.HEAT_MAP: None})

    def add_scan(
        self, volume: Volume, *, source: SourceSeries | None = None, index: int | None = None
    ) -> slicer.vtkMRMLScalarVolumeNode:
        """Bring a scan that a face has read into the scene, make it an input of the model and show it.

        Args:
            volume: The scan.
            source: The DICOM files that it was read from; with them, results can be exported as DICOM.
            index: Which input it becomes; None takes the first of a model with one input, and with several the one
                that the scan's name or kind speaks for.
        """
        with self.state.one_undo_state(f"open {volume.name}"):
            place = place_for(self.inputs, volume) if index is None else index
            node = volume_to_node(volume, self.scene)
            write_source(node, source)
            self.state.refer(**{input_role(place): node})
            self.state.choose(view_input=place, view_stage=AFTER)
            if place == 0:
                self.state.refer(**{case_results.SEGMENTATION: None, case_results.HEAT_MAP: None})
        return node

    def view_input(self, index: int) -> None:
        """Show the scan of one of the model's inputs in the slices; it is then the one that is prepared."""
        self.state.choose(view_input=index, view_stage=AFTER)

    def show_result(self, segmentation: slicer.vtkMRMLSegmentationNode | None) -> None:
        """Make an earlier result, or another segmentation of the scan, the current one."""
        if segmentation is not self.segmentation:
            with self.state.one_undo_state("choose a result"):
                self.state.refer(**{case_results.SEGMENTATION: segmentation, case_results.HEAT_MAP: None})

    def use_roi(self, node: slicer.vtkMRMLMarkupsROINode | None) -> None:
        """Take an ROI that is in the scene already as the box for the region."""
        self.state.refer(**{case_results.ROI: node})

    def place_roi(self) -> slicer.vtkMRMLMarkupsROINode:
        """The box for the region, made in the middle of the scan if there is none yet.

        Raises:
            InputError: if no scan was chosen.
        """
        return case_results.place_roi(self.state)

    def place_point(self) -> slicer.vtkMRMLMarkupsFiducialNode:
        """The list that the clicked point goes to, made if there is none yet.

        Raises:
            InputError: if no scan was chosen.
        """
        return case_results.place_point(self.state)

    def undo(self) -> None:
        """Take back the last action."""
        self.undo_stack.undo()

    def redo(self) -> None:
        """Do the action again that was taken back last."""
        self.undo_stack.redo()

    # Work ---------------------------------------------------------------------------------------------------------

    def obstacle(self) -> str:
        """Why nothing can be segmented now, as a sentence; empty where all is ready."""
        try:
            card = self.model.card
            slots = input_slots(card, self.state.node, same_space=self.choices.same_space)
            return obstacle_in(slots) or case_results.point_is_needed(card)
        except MedSegAIError as error:
            return str(error)

    def question(self) -> str:
        """What a face asks before it segments again; empty where nothing was corrected since the last run."""
        node = self.segmentation
        if node is None or not is_edited(node):
            return ""
        return (
            f"'{node.GetName()}' was corrected since the model made it. Segment again? "
            "The corrected segmentation is kept; the new result is shown in its place."
        )

    def start_segment(self) -> Run:
        """Begin to segment the scan with the chosen model; earlier results stay in the scene.

        Raises:
            MedSegAIError: if something is missing, does not fit, or still runs.
        """
        return case_results.start_segment(self.work, self.runner, self.state, self.model)

    def warm_up(self) -> None:
        """Have the chosen model loaded in the background once there is a scan; cheap to call after every change."""
        choices = self.choices
        wanted = (choices.model, choices.device, choices.engine)
        if self.is_busy or self.scan is None or wanted == self._warmed_up:
            return
        self._warmed_up = wanted
        # What is wrong with the model is said where it is asked for.
        with contextlib.suppress(MedSegAIError):
            self.runner.warm_up(self.model, settings=RunSettings(device=choices.device, engine=choices.engine))

    def start_explain(self) -> Run:
        """Begin to explain the chosen label of the current result.

        Raises:
            MedSegAIError: if there is no result, it cannot be explained, or something still runs.
        """
        return case_results.start_explain(self.work, self.runner, self.state, self.model)

    def start_examine(self) -> Run:
        """Begin to find out whether everything is installed; the answers come as :attr:`checks`."""

        def finish(checks: tuple[Check, ...]) -> object:
            self.checks = checks
            yield

        return self.work.start(RunKind.EXAMINE, self.runner.start_examine, finish=finish)

    def cancel(self) -> None:
        """Stop what is under way."""
        self.work.cancel()

    def poll(self, *, timeout: float = 0.0) -> bool:
        """Bring the work on, waiting up to ``timeout`` seconds for it; True once nothing is under way."""
        # What has ended may have begun something else.
        return self.work.poll(timeout=timeout) and not self.is_busy

    # The scene as a file, and the end -----------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the scene as ``.mrb``; raises as :func:`MedSegAI.Bridge.scene.save_scene`."""
        NoduleTable(self).bring_up_to_date()
        return save_scene(self.scene, path)

    def open(self, path: str | os.PathLike[str]) -> None:
        """Replace the case by that of an ``.mrb``; raises as :func:`MedSegAI.Bridge.scene.load_scene`."""
        load_scene(path, into=self._opened)

    def observe(self, observer: Callable[[SessionEvent], None]) -> Callable[[], None]:
        """Call ``observer`` after every change; calling what is returned ends that."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer) if observer in self._observers else None

    def close(self) -> None:
        """Stop the work, free the model's memory and observe the scene no longer; the scene stays as it is."""
        self.work.abandon()
        self.state.release()
        for tag in self._tags:
            self.scene.RemoveObserver(tag)
        self._tags.clear()
        self.undo_stack.index_changed.disconnect(self._undo_observer)
        self._observers.clear()
        self.runner.close()

    def _case_changed(self) -> None:
        over_the_scan = self.disagreement if self.choices.show_disagreement else self.heat_map
        present(
            self.scene,
            self.choices,
            scan=self.viewed_volume,
            segmentation=self.segmentation,
            growing=case_results.growing_on(self.scene, self.scan),
            heat_map=over_the_scan,
        )
        self.tell(SessionEvent.CASE)

    def _scene_leaves(self, _caller: object, _event: str) -> None:
        self.work.abandon()
        self.state.release()

    def _scene_came(self, _caller: object, _event: str) -> None:
        self.state.rebind()
        self.tell(SessionEvent.CASE)

    def tell(self, event: SessionEvent) -> None:
        """Let all observers know; for parts of the session that keep something beside the scene."""
        for observer in tuple(self._observers):
            observer(event)


def installed_models() -> tuple[Model, ...]:
    """All models whose cards can be read, shipped ones first."""
    found = []
    for folder in model_folders():
        try:
            found.append(read_model(folder))
        except MedSegAIError:
            continue
    return tuple(found)
