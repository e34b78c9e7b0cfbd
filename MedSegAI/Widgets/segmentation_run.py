"""One segmentation as a panel drives it: begun by a button, polled by a timer, its result put into the scene. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field

import slicer

from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import segmentation_to_node, write_provenance
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.worker.runner import Runner


@dataclass
class RunStatus:
    """What a panel shows of work under way; a reporter that only remembers.

    Args:
        done: Finished steps of ``total``; 0 of 0 while nothing is known.
        total: All steps of the present stage.
        text: The latest stage or sentence.
        messages: Every sentence so far.
    """

    done: int = 0
    total: int = 0
    text: str = "Starting"
    messages: list[str] = field(default_factory=list)

    @property
    def percent(self) -> int:
        """Finished part of the present stage, 0 to 100."""
        return 100 * self.done // self.total if self.total else 0

    def progress(self, done: int, total: int, stage: str) -> None:
        """Remember how far the work is."""
        self.done, self.total, self.text = done, total, stage[:1].upper() + stage[1:]

    def message(self, text: str) -> None:
        """Remember a sentence."""
        self.messages.append(text)
        self.text = text

    def cancelled(self) -> bool:
        """Never: the panel cancels the job itself."""
        return False


class SegmentationRun:
    """A segmentation of a volume node that is under way.

    Args:
        runner: Who computes; in Slicer a worker process.
        scan: The volume node to segment, wherever its transforms put it.
        model: The model.
        output: A segmentation node that an earlier run made and that is to be overwritten; None makes a new one.
        settings: The user's choices.

    Raises:
        MedSegAIError: if the node cannot be segmented or the worker cannot be started.
    """

    def __init__(
        self,
        runner: Runner,
        scan: slicer.vtkMRMLScalarVolumeNode,
        *,
        model: Model,
        output: slicer.vtkMRMLSegmentationNode | None = None,
        settings: RunSettings | None = None,
    ) -> None:
        self.status = RunStatus()
        self._scan = scan
        self._output = output
        self._job = runner.start_segment(
            node_to_volume(scan), model=model, settings=settings or RunSettings(), reporter=self.status
        )

    def poll(self, *, timeout: float = 0.0) -> bool:
        """Take in what the worker said, waiting up to ``timeout`` seconds; True once the work has ended."""
        return self._job.poll(timeout=timeout)

    def cancel(self) -> None:
        """Ask the worker to stop; the run then ends within seconds."""
        self._job.cancel()

    def finish(self) -> slicer.vtkMRMLSegmentationNode:
        """Put the result of an ended run into the scan's scene.

        Raises:
            Cancelled: if the run was cancelled; the scene is as before.
            MedSegAIError: what the run failed with, or why the result has no place in the scene.
        """
        result: SegmentationResult = self._job.result()
        if self._scan.GetScene() is None:
            raise InputError("The scan was closed while it was segmented.", advice="Load it again and press Segment.")
        if self._output is not None:
            update_segments(self._output, result.labels)
            write_provenance(self._output, result.provenance)
            return self._output
        return segmentation_to_node(
            result.labels,
            result.table,
            self._scan.GetScene(),
            reference=self._scan,
            provenance=result.provenance,
            name=f"{self._scan.GetName()} segmentation",
        )
