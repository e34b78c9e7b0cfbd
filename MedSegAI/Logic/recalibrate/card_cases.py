"""The cases that a model's card was measured on, which lie beside the card with their scores."""

from __future__ import annotations

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.evaluation.stored import read_evaluation
from MedSegAI.Logic.evaluation.tables import Evaluation
from MedSegAI.Logic.models.registry import CASES_NAME, Model


def card_cases(model: Model) -> Evaluation | None:
    """What was measured on single cases; None where the model folder does not keep it.

    Raises:
        ModelError: if the file is damaged.
    """
    path = model.folder / CASES_NAME
    if not path.exists():
        return None
    try:
        found = read_evaluation(path)
        found.subjects  # noqa: B018  a subject rule that fits no case name is found out here
    except InputError as error:
        raise ModelError(
            f"'{path}' does not hold the scores of '{model.card.name}': {error.problem}",
            advice="Copy the model folder again.",
        ) from error
    return found
