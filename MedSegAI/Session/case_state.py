"""A case's choices and node references, kept in the scene's parameter node; every change is one undo state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import slicer
from undo_stack import UndoCommand, UndoStack

from MedSegAI.Bridge.parameter_node import (
    ParameterSnapshot,
    parameter_node,
    parameters_of,
    refer_to,
    restore_snapshot,
    take_snapshot,
    write_parameters,
)
from MedSegAI.Session.choices import Choices, parameters_of_changes

_SECONDS_OF_ONE_GESTURE = 1.0
"""Changes of one value that follow each other faster, such as those of a dragged slider, are one undo state."""


class CaseState:
    """What a case consists of beside its voxels: choices, and which nodes are its scans and results.

    All of it lives in the parameter node of the scene: whoever changes that node (a face, Slicer's parameter node
    wrapper, the Python console) changes the case, and gets one undo state for it. Nodes that an action added are
    taken out of the scene when it is undone and put back when it is done again.

    Args:
        scene: The case's scene.
        undo_stack: Where undo states go; a face's own editor may push on it too.
        changed: Called after every change, whoever made it.
    """

    def __init__(self, scene: slicer.vtkMRMLScene, *, undo_stack: UndoStack, changed: Callable[[], None]) -> None:
        self._scene = scene
        self._undo_stack = undo_stack
        self._changed = changed
        self._observed: tuple[slicer.vtkMRMLScriptedModuleNode, int] | None = None
        self._held = 0
        self.rebind()

    @property
    def node(self) -> slicer.vtkMRMLScriptedModuleNode:
        """The parameter node."""
        return self._observed[0]

    @property
    def choices(self) -> Choices:
        """What the user has chosen."""
        return Choices.from_parameters(parameters_of(self.node))

    def choose(self, **changes: object) -> None:
        """Change some of the choices, in one undo state.

        Raises:
            InputError: for a value that the choice cannot have; nothing is changed then.
        """
        write_parameters(self.node, parameters_of_changes(changes))

    def show_again(self) -> None:
        """Have the views brought up to date: something came or went that is shown, though no part of the case."""
        self._changed()

    def referenced(self, role: str) -> slicer.vtkMRMLNode | None:
        """The node in this role."""
        return self.node.GetNodeReference(role)

    def refer(self, **references: slicer.vtkMRMLNode | None) -> None:
        """Give nodes a role, or take it away with None; in one undo state."""
        refer_to(self.node, references)

    @contextmanager
    def one_undo_state(self, text: str, *, continues: bool = False) -> Iterator[None]:
        """Make all changes within, nodes added to the scene included, one undo state.

        What takes several polls must not stay inside: whatever the user does meanwhile would be taken for a part of
        it. It makes one state a poll instead, all but the first of which continue the one before.

        Args:
            text: What was done, for the undo button's tooltip.
            continues: Whether it is undone together with the last undo state, where that has the same text.
        """
        before, present = take_snapshot(self.node), _nodes(self._scene)
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        known = {id(node) for node in present}
        added = [node for node in _nodes(self._scene) if id(node) not in known]
        self._record(before, text, added, continues=continues)

    def rebind(self) -> None:
        """Observe the scene's parameter node anew; after the scene was closed or loaded, nothing can be undone."""
        self.release()
        node = parameter_node(self._scene)
        missing = Choices().to_parameters().items() - parameters_of(node).items()
        write_parameters(node, {name: text for name, text in missing if node.GetParameter(name) == ""})
        self._observed = (node, node.AddObserver("ModifiedEvent", self._on_modified))
        self._last = take_snapshot(node)
        self._undo_stack.clear()

    def release(self) -> None:
        """Stop observing."""
        if self._observed is not None:
            node, tag = self._observed
            node.RemoveObserver(tag)
            self._observed = None

    def _on_modified(self, _caller: object, _event: str) -> None:
        if self._held == 0:
            self._record(self._last, "", [])

    def _record(
        self, before: ParameterSnapshot, text: str, added: list[slicer.vtkMRMLNode], *, continues: bool = False
    ) -> None:
        after = take_snapshot(self.node)
        self._last = after
        if before == after and not added:
            return
        if added or not self._lost_a_node(before, after):
            self._undo_stack.push(_Change(self, before, after, text=text, added=added, continues=continues))
        self._changed()

    def _lost_a_node(self, before: ParameterSnapshot, after: ParameterSnapshot) -> bool:
        """Whether all that happened is that nodes left the scene; they are not ours to bring back."""
        remaining = dict(after.references)
        lost = [role for role, key in before.references if self._scene.GetNodeByID(key) is None]
        return bool(lost) and after.differing(before) == frozenset(lost) and not remaining.keys() & set(lost)

    def _go_to(
        self,
        snapshot: ParameterSnapshot,
        *,
        adding: list[slicer.vtkMRMLNode] = (),
        removing: list[slicer.vtkMRMLNode] = (),
    ) -> None:
        self._held += 1
        try:
            for node in adding:
                self._scene.AddNode(node)
            # Removing a node takes away all references to it from nodes in the scene: those of the parameter node are
            # restored below; an owner that was added before what it owns leaves first and keeps its own.
            for node in removing:
                self._scene.RemoveNode(node)
            restore_snapshot(self.node, snapshot)
        finally:
            self._held -= 1
        self._last = take_snapshot(self.node)
        self._changed()


class _Change(UndoCommand):
    """One action on the case: the parameter node before and after, and the nodes it added."""

    def __init__(
        self,
        state: CaseState,
        before: ParameterSnapshot,
        after: ParameterSnapshot,
        *,
        text: str,
        added: list[slicer.vtkMRMLNode],
        continues: bool,
    ) -> None:
        super().__init__()
        self._state, self._before, self._after, self._added = state, before, after, added
        self._continues = continues
        self._text = text or "change " + ", ".join(sorted(before.differing(after))).replace("_", " ")
        self._names = before.differing(after)
        self._when = time.monotonic()

    def undo(self) -> None:
        self._state._go_to(self._before, removing=self._added)

    def redo(self) -> None:
        self._state._go_to(self._after, adding=self._added)

    def do_try_merge(self, command: UndoCommand | None) -> bool:
        if not isinstance(command, _Change):
            return False
        if self._continues:
            return self._text == command._text
        return (
            not self._added
            and not command._added
            and len(self._names) == 1
            and self._names == command._names
            and self._when - command._when < _SECONDS_OF_ONE_GESTURE
        )

    def merge_with(self, command: UndoCommand) -> bool:
        self._after, self._when = command._after, command._when
        self._added = [*self._added, *command._added]
        self._names = self._before.differing(self._after)
        self._is_obsolete = self._before == self._after and not self._added
        return True


def _nodes(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLNode]:
    """The nodes that belong to a case: all but singletons, which are the application's."""
    nodes = (scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes()))
    return [node for node in nodes if node.GetSingletonTag() is None and node.GetSaveWithScene()]
