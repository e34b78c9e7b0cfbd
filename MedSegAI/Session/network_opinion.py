"""What the network says of a label near the strokes, asked for before the label is refined."""

from __future__ import annotations

from MedSegAI.Bridge.segmentation_nodes import read_provenance
from MedSegAI.Logic.errors import Cancelled, MedSegAIError
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.labels import Label
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.refine.nearby_probability import NearbyProbability
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.worker.running_job import RunningJob
from MedSegAI.Session.input_slots import obstacle_in, scans_in
from MedSegAI.Session.run import Run
from MedSegAI.Session.session import Session


def ask_the_network(
    session: Session, label: Label, box: Box, *, run: Run
) -> RunningJob[NearbyProbability | None] | None:
    """Begin to ask the model that made the current result; None where it cannot say anything.

    It gives None where the network cannot be run: the refinement then goes by the image and the label.

    Args:
        session: The case.
        label: The label that is refined.
        box: What the strokes can change, (k, j, i) of the scan's grid.
        run: Told how far it is.
    """
    made = read_provenance(session.segmentation)
    model = _model_of(session, made)
    slots = session.inputs
    if model is None or obstacle_in(slots) or not any(region.network_value(label.value) for region in made.regions):
        return None
    choices = session.choices
    job = session.runner.start_probability(
        scans_in(slots, same_space=choices.same_space),
        model=model,
        settings=RunSettings(device=choices.device, engine=choices.engine),
        made=made,
        value=label.value,
        box=box,
        reporter=run,
    )
    return _Opinion(job, box)


def _model_of(session: Session, made: Provenance | None) -> Model | None:
    """The chosen model, where it is the very one that made the result."""
    try:
        model = session.model
    except MedSegAIError:
        return None
    return model if made is not None and made.model_sha256 == model.card.weights_sha256 else None


class _Opinion:
    """A job for the probability; what goes wrong with it costs only the opinion."""

    def __init__(self, job: RunningJob, box: Box) -> None:
        self._job, self._box = job, box

    def poll(self, *, timeout: float = 0.0) -> bool:
        """As :meth:`RunningJob.poll`."""
        return self._job.poll(timeout=timeout)

    def cancel(self) -> None:
        """As :meth:`RunningJob.cancel`."""
        self._job.cancel()

    def result(self) -> NearbyProbability | None:
        """The probability; None where it could not be had."""
        try:
            return NearbyProbability(self._box, self._job.result())
        except Cancelled:
            raise
        except MedSegAIError:
            return None
