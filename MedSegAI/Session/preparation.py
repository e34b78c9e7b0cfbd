"""A scan is brought into shape: which steps fit it, what they did, and what it looked like before."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

import slicer

from MedSegAI.Bridge.scan_attributes import is_scan, modality_of, steps_of, unit_of
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Bridge.window_level import Window, reset_window, set_window, window_of
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.catalogue import step_kinds_for
from MedSegAI.Logic.standardise.ct.window_presets import WINDOW_PRESETS, WindowPreset
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.volume import Modality, Unit
from MedSegAI.Logic.worker.running_job import RunningJob
from MedSegAI.Logic.worker.thread_job import ThreadJob
from MedSegAI.Session.case_results import HEAT_MAP, SEGMENTATION
from MedSegAI.Session.choices import AFTER, BEFORE
from MedSegAI.Session.input_slots import input_role
from MedSegAI.Session.jobs_in_turn import JobsInTurn
from MedSegAI.Session.kind_of_scan import KindOfScan
from MedSegAI.Session.prepared_scans import extras_of, prepared_to_nodes, scan_before, stages_of
from MedSegAI.Session.run import Run, RunKind
from MedSegAI.Session.session import Session
from MedSegAI.Session.step_offers import ChosenStep, StepOffer, offer_of, step_of


class Preparation:
    """The preparation of the scan that the slices show, for one case.

    A prepared scan is a new volume node that takes the place of the one before among the model's inputs; the one
    before stays in the scene, and one undo state brings it back.

    Args:
        session: The case.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def scan(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """The scan that is prepared: the input of the model that the slices show."""
        return self._session.viewed_input

    @property
    def offers(self) -> tuple[StepOffer, ...]:
        """The steps that are meant for this kind of scan, in the order in which they are usually applied."""
        return () if self.scan is None else tuple(offer_of(kind) for kind in step_kinds_for(self.modality))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was done to the scan so far, one sentence a step."""
        return () if self.scan is None else tuple(record.sentence for record in steps_of(self.scan))

    @property
    def has_before(self) -> bool:
        """Whether there is something to compare the scan with."""
        return self.scan is not None and scan_before(self.scan) is not None

    @property
    def extras(self) -> tuple[str, ...]:
        """Names of what the last preparation found beside the scan, such as "bias field"."""
        return () if self.scan is None else tuple(extras_of(self.scan))

    @property
    def stage(self) -> str:
        """What the slices show: "after", "before" or one of :attr:`extras`."""
        chosen = self._session.choices.view_stage
        return chosen if self.scan is not None and chosen in stages_of(self.scan) else AFTER

    def show(self, stage: str) -> None:
        """Show "after", "before" or one of :attr:`extras` in the same slices; see :meth:`set_window`."""
        self._session.choose(view_stage=stage)

    def show_before(self, is_before: bool) -> None:
        """Show the scan as it was before, or as it is."""
        self.show(BEFORE if is_before else AFTER)

    @property
    def references(self) -> tuple[slicer.vtkMRMLScalarVolumeNode, ...]:
        """The other scans of the case, for a step that gives the scan the histogram of another."""
        nodes = nodes_of_class(self._session.scene, "vtkMRMLScalarVolumeNode")
        return tuple(node for node in nodes if is_scan(node) and node is not self.scan)

    def chosen(
        self,
        kind: str,
        settings: Mapping[str, Any],
        *,
        reference: slicer.vtkMRMLScalarVolumeNode | None = None,
        file: str | os.PathLike[str] | None = None,
    ) -> ChosenStep:
        """A step as a person chose it, for :meth:`start`.

        Args:
            kind: Its key.
            settings: Values by name, as they were typed.
            reference: One of :attr:`references`, for a step that needs a scan.
            file: For a step that needs a file.
        """
        return ChosenStep(kind, settings, None if reference is None else node_to_volume(reference), file)

    def start(self, *steps: ChosenStep) -> Run:
        """Begin to apply steps to the scan, in this order; the result takes its place.

        Raises:
            InputError: if there is no scan, or no step, or a setting cannot be read.
            MedSegAIError: if something still runs.
        """
        scan = self.scan
        if scan is None:
            raise InputError("There is no scan to prepare.", advice="Open a scan first.")
        if not steps:
            raise InputError("No step was chosen.", advice="Choose at least one.")
        volume, index, runner = node_to_volume(scan), self._session.viewed_index, self._session.runner
        name = f"{scan.GetName()} ({', '.join(step.kind for step in steps)})"

        def begin(run: Run) -> RunningJob[Standardised]:
            def standardise(made: tuple[Step, ...]) -> RunningJob[Standardised]:
                return runner.start_standardise(volume, made, reporter=run)

            if all(step.reference is None for step in steps):
                return standardise(tuple(step_of(step) for step in steps))
            # Looking at all voxels of another scan takes too long for the thread that draws.
            making = ThreadJob(lambda _reporter: tuple(step_of(step) for step in steps), reporter=run, name="steps")
            return JobsInTurn(making, standardise)

        return self._session.work.start(
            RunKind.PREPARE, begin, finish=lambda result: self._take(scan, index, result, name)
        )

    # What kind of scan it is ----------------------------------------------------------------------------------------

    @property
    def modality(self) -> Modality:
        """What kind of scan it is, as far as it says."""
        return Modality.UNKNOWN if self.scan is None else modality_of(self.scan)

    def take_for(self, modality: Modality) -> None:
        """Say what kind of scan it is, where the file did not; one undo state."""
        if self.scan is not None and modality is not self.modality:
            self._session.undo_stack.push(KindOfScan(self.scan, modality))

    # The window ---------------------------------------------------------------------------------------------------

    @property
    def presets(self) -> tuple[WindowPreset, ...]:
        """The windows with names that make sense for the scan; none for what is not in Hounsfield units."""
        shown = self._session.viewed_volume
        return WINDOW_PRESETS if shown is not None and unit_of(shown) is Unit.HOUNSFIELD else ()

    @property
    def window(self) -> Window | None:
        """The window of what the slices show; None where they show nothing."""
        shown = self._session.viewed_volume
        return None if shown is None else window_of(shown)

    def set_window(self, window: Window | None) -> None:
        """Show what the slices show through this window; None lets Slicer choose one from the voxels.

        Before and after are seen through the same window where their values mean the same, as Hounsfield units do.

        Raises:
            InputError: if nothing can be seen through that window.
        """
        if window is not None and not (math.isfinite(window.level) and 0 < window.width < math.inf):
            raise InputError(
                f"A window of width {window.width:g} around {window.level:g} shows nothing.",
                advice="Give a width above 0, and a middle in the scan's unit.",
            )
        shown = self._session.viewed_volume
        if shown is None:
            return
        if window is None:
            reset_window(shown)
            window = window_of(shown)
        for node in (shown, *self._compared_with(shown)):
            if window_of(node) != window:
                set_window(node, window)

    def _compared_with(self, shown: slicer.vtkMRMLScalarVolumeNode) -> tuple[slicer.vtkMRMLScalarVolumeNode, ...]:
        """What else one looks at beside what is shown, in the same unit."""
        stages = stages_of(self.scan)
        pair = [stages[stage] for stage in (BEFORE, AFTER) if stage in stages]
        if shown not in pair or unit_of(shown) is Unit.ARBITRARY:
            return ()
        return tuple(node for node in pair if node is not shown and unit_of(node) is unit_of(shown))

    def _take(
        self, before: slicer.vtkMRMLScalarVolumeNode, index: int, result: Standardised, name: str
    ) -> Iterator[None]:
        state, text = self._session.state, f"prepare {before.GetName()}"
        if before.GetScene() is None:
            raise InputError("The scan was closed while it was being prepared.", advice="Open it again.")
        nodes = prepared_to_nodes(result, before, name=name)
        with state.one_undo_state(text):
            node = next(nodes)
            # Who went on to another scan meanwhile finds the prepared one in the list.
            if state.referenced(input_role(index)) is before:
                state.refer(**{input_role(index): node})
                state.choose(view_stage=AFTER)
                if index == 0:
                    state.refer(**{SEGMENTATION: None, HEAT_MAP: None})
        yield
        # Undone in between, nobody asks for the extras any more.
        while node.GetScene() is not None:
            with state.one_undo_state(text, continues=True):
                if next(nodes, None) is None:
                    break
            yield
