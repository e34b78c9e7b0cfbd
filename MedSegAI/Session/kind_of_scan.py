"""A person says what kind of scan a file holds that does not say it itself."""

from __future__ import annotations

import slicer
from undo_stack import UndoCommand

from MedSegAI.Bridge.scan_attributes import say_kind
from MedSegAI.Logic.volume import Modality


class KindOfScan(UndoCommand):
    """What a scan is taken for, as an undo state; done at once when it is made.

    Args:
        node: The scan.
        modality: What it is.
    """

    def __init__(self, node: slicer.vtkMRMLScalarVolumeNode, modality: Modality) -> None:
        super().__init__()
        self._node, self._modality = node, modality
        self._text = f"take {node.GetName()} for {modality.value}"
        self._before = say_kind(node, modality)

    def undo(self) -> None:
        """Say what was said before."""
        modality, unit = self._before
        say_kind(self._node, modality, unit=unit)

    def redo(self) -> None:
        """Say it again."""
        say_kind(self._node, self._modality)
