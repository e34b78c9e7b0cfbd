"""Scans that were not taken in one space are moved onto the first input, in one undo state each."""

from __future__ import annotations

from collections.abc import Iterator

import slicer
from undo_stack import UndoCommand

from MedSegAI.Bridge.alignment_nodes import alignment_of, alignment_to_node, put_under
from MedSegAI.Logic.align.alignment import Alignment, Verdict
from MedSegAI.Logic.errors import InputError
from MedSegAI.Session.choices import AFTER
from MedSegAI.Session.input_slots import input_role, named_as_read
from MedSegAI.Session.prepared_scans import every_stage_of
from MedSegAI.Session.run import Run, RunKind
from MedSegAI.Session.session import Session


class InputAlignment:
    """The place of each input in space, for one case.

    What is known of it stands in the slots, see :attr:`Session.inputs`.

    Args:
        session: The case.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def same_space(self) -> bool:
        """Whether the user said that all inputs lie in one space already."""
        return self._session.choices.same_space

    def take_as_they_lie(self, is_so: bool) -> None:
        """Note that all inputs lie in one space already and need no registration, or that this is not known."""
        self._session.choose(same_space=is_so)

    def start_align(self, index: int) -> Run:
        """Begin to move an input onto the first one.

        The scan is put under a new transform node, which keeps the figures of how well it fits; nothing is hardened.
        Where the two do not fit, the run fails with the reason and nothing is moved.

        Raises:
            InputError: if one of the two scans is missing, or they are the same.
            MedSegAIError: if something still runs.
        """
        session, state = self._session, self._session.state
        moving, reference = state.referenced(input_role(index)), session.scan
        if moving is None or reference is None or moving is reference:
            raise InputError("There are no two scans to align.", advice="Choose a scan for this input and the first.")
        scan, onto = named_as_read(moving), named_as_read(reference)

        def finish(alignment: Alignment) -> Iterator[None]:
            _refuse_failed(alignment)
            if moving.GetScene() is None or reference.GetScene() is None:
                raise InputError("A scan was closed while it was being aligned.", advice="Open it again.")
            with session.undo_stack.group_undo_commands(f"align {moving.GetName()}"):
                with state.one_undo_state(f"align {moving.GetName()}"):
                    transform = alignment_to_node(alignment, moving, reference=reference)
                    state.choose(view_input=index, view_stage=AFTER)
                session.undo_stack.push(_Placement(moving, transform, text=f"move {moving.GetName()}"))
            yield

        return session.work.start(
            RunKind.ALIGN,
            lambda run: session.runner.start_align(scan, reference=onto, reporter=run),
            finish=finish,
        )

    def take_off(self, index: int) -> None:
        """Put an aligned input back to its own place; the transform node stays in the scene."""
        node = self._session.state.referenced(input_role(index))
        if node is not None and alignment_of(node) is not None:
            self._session.undo_stack.push(_Placement(node, None, text=f"put {node.GetName()} back"))


class _Placement(UndoCommand):
    """Under which transform a scan lies, before and after, with what it was before its preparation."""

    def __init__(
        self,
        node: slicer.vtkMRMLScalarVolumeNode,
        after: slicer.vtkMRMLTransformNode | None,
        *,
        text: str,
    ) -> None:
        super().__init__()
        self._before, self._after, self._text = node.GetParentTransformNode(), after, text
        # Before and after would else be compared at two places.
        self._nodes = [one for one in every_stage_of(node) if one.GetParentTransformNode() is self._before]
        self.redo()

    def undo(self) -> None:
        for node in self._nodes:
            put_under(node, self._before)

    def redo(self) -> None:
        for node in self._nodes:
            put_under(node, self._after)


def _refuse_failed(alignment: Alignment) -> None:
    if alignment.quality.verdict is Verdict.FAILED:
        raise InputError(
            f"The scans could not be aligned, and were left as they are. {alignment.sentence()}",
            advice="Check that both show the same part of the same patient.",
        )
