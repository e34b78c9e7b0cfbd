"""A scan is brought into shape: which steps fit it, what they did, and what it looked like before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import slicer

from MedSegAI.Bridge.scan_attributes import modality_of, steps_of
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Bridge.window_level import Window, reset_window, set_window, window_of
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.catalogue import step_kinds_for
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.volume import Modality
from MedSegAI.Session.case_results import HEAT_MAP, SEGMENTATION
from MedSegAI.Session.choices import AFTER, BEFORE
from MedSegAI.Session.input_slots import input_role
from MedSegAI.Session.prepared_scans import extras_of, prepared_to_nodes, scan_before, stages_of
from MedSegAI.Session.run import Run, RunKind
from MedSegAI.Session.session import Session
from MedSegAI.Session.step_offers import StepOffer, offer_of, step_of


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
        if self.scan is None:
            return ()
        return tuple(offer_of(kind) for kind in step_kinds_for(modality_of(self.scan)))

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
        """Show "after", "before" or one of :attr:`extras` in the same slices, each through its own window."""
        self._session.choose(view_stage=stage)

    def show_before(self, is_before: bool) -> None:
        """Show the scan as it was before, or as it is."""
        self.show(BEFORE if is_before else AFTER)

    def start(self, steps: Sequence[tuple[str, Mapping[str, Any]]]) -> Run:
        """Begin to apply steps, given by kind and settings as a person typed them; see :meth:`start_prepare`."""
        return self.start_prepare(tuple(step_of(kind, settings) for kind, settings in steps))

    def start_prepare(self, steps: tuple[Step, ...]) -> Run:
        """Begin to apply steps to the scan; the result takes its place.

        Raises:
            InputError: if there is no scan, or no step.
            MedSegAIError: if something still runs.
        """
        scan = self.scan
        if scan is None:
            raise InputError("There is no scan to prepare.", advice="Open a scan first.")
        if not steps:
            raise InputError("No step was chosen.", advice="Choose at least one.")
        volume, index = node_to_volume(scan), self._session.viewed_index
        name = f"{scan.GetName()} ({', '.join(step.kind for step in steps)})"

        return self._session.work.start(
            RunKind.PREPARE,
            lambda run: self._session.runner.start_standardise(volume, steps, reporter=run),
            finish=lambda result: self._take(scan, index, result, name),
        )

    # The window ---------------------------------------------------------------------------------------------------

    @property
    def is_ct(self) -> bool:
        """Whether windows with names make sense: the scan is a CT."""
        return self.scan is not None and modality_of(self.scan) is Modality.CT

    @property
    def window(self) -> Window | None:
        """The window of what the slices show; None where they show nothing."""
        shown = self._session.viewed_volume
        return None if shown is None else window_of(shown)

    def set_window(self, window: Window | None) -> None:
        """Show what the slices show through this window; None lets Slicer choose one from the voxels."""
        shown = self._session.viewed_volume
        if shown is None:
            return
        if window is None:
            reset_window(shown)
        else:
            set_window(shown, window)

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
