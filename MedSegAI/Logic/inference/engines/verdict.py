"""Whether an engine may stand for torch here, found out once for a model, an engine's version and a processor."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSegAI.Logic.errors import Cancelled, MedSegAIError, ModelError
from MedSegAI.Logic.inference.engines.engine_cache import keep, place_for, processor_name, read_kept
from MedSegAI.Logic.inference.engines.kinds import EngineKind
from MedSegAI.Logic.inference.engines.parity import Parity, check_windows, compare
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled

if TYPE_CHECKING:
    from MedSegAI.Logic.inference.engines.eager import EagerEngine
    from MedSegAI.Logic.inference.engines.engine import Engine

_WORTH_CHANGING = 0.9
"""An engine counts as faster where it takes at most this part of torch's time: less is within what a busy computer
adds by chance."""


@dataclass(frozen=True)
class Verdict:
    """What the check of an engine found.

    Args:
        parity: How near it came to torch; None where it could not be built.
        torch_seconds: CPU seconds of one warm window in torch.
        engine_seconds: The same in the engine.
        problem: Why it could not be built, as a sentence.
        lasts: Whether it would be found again; a missing package or a GPU in use would not.
    """

    parity: Parity | None
    torch_seconds: float = 0.0
    engine_seconds: float = 0.0
    problem: str = ""
    lasts: bool = True

    def passes(self, kind: EngineKind) -> bool:
        """Whether the engine gives what torch gives."""
        return self.parity is not None and kind.bounds is not None and self.parity.within(kind.bounds)

    @property
    def is_faster(self) -> bool:
        """Whether the engine is clearly faster here."""
        return self.engine_seconds <= _WORTH_CHANGING * self.torch_seconds

    def sentence(self, kind: EngineKind) -> str:
        """What was found, for a person to read."""
        if self.parity is None:
            return f"{kind.title} cannot run this model: {self.problem}"
        if not self.passes(kind):
            wanted = f"at least {kind.bounds.lowest_dice} and within {kind.bounds.largest_logit_difference}"
            return f"{kind.title} does not give what torch gives: {self.parity.sentence()}; wanted is {wanted}."
        if self.engine_seconds <= self.torch_seconds:
            speed = f"is {self.torch_seconds / max(self.engine_seconds, 1e-6):.1f} times as fast"
        else:
            speed = f"takes {self.engine_seconds / max(self.torch_seconds, 1e-6):.1f} times as long"
        return f"{kind.title} gives what torch gives ({self.parity.sentence()}) and {speed}."

    def to_json(self) -> str:
        """The verdict as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """The verdict that :meth:`to_json` wrote; raises ValueError, TypeError or KeyError for anything else."""
        plain: dict[str, Any] = dict(json.loads(text))
        parity = plain.pop("parity")
        return cls(None if parity is None else Parity(**parity), **plain)


def verdict_on(kind: EngineKind, model: Model, *, open_torch: Callable[[], EagerEngine], reporter: Reporter) -> Verdict:
    """What the check of an engine for a model says, from the user's cache folder or, the first time, by doing it.

    Args:
        kind: The engine; it is installed.
        model: The model.
        open_torch: Opens the model in torch, on the CPU.
        reporter: Told what is done and what was found; asked whether to stop.

    Raises:
        ModelError: if the model is damaged.
        torch.OutOfMemoryError: if the memory does not suffice for the check; nothing is kept then.
        Cancelled: if the user asked to stop.
    """
    place = place_of_verdict(kind, model)
    known = read_kept(place)
    if known is not None:
        try:
            return Verdict.from_json(str(known, "utf-8"))
        except (ValueError, TypeError, KeyError):
            # Another version of this program may have written something else.
            pass
    reporter.message(f"Checking once whether {kind.title} gives what torch gives for '{model.card.title}'.")
    verdict = _check(kind, model, open_torch=open_torch, reporter=reporter)
    reporter.message(verdict.sentence(kind))
    if verdict.lasts:
        keep(place, verdict.to_json().encode())
    return verdict


def place_of_verdict(kind: EngineKind, model: Model) -> Path:
    """Where the verdict on an engine for a model is kept: for these versions, this processor and so many threads.

    Torch's speed also hangs on whether it has machine code, which a package brings and a variable switches off.
    """
    import torch

    from MedSegAI.Logic.networks.vector_code import lanes

    depends_on = (kind.require(), torch.__version__, processor_name(), torch.get_num_threads(), lanes())
    return place_for(model, kind.choice.value, depends_on=depends_on, ending=".check")


def _check(kind: EngineKind, model: Model, *, open_torch: Callable[[], EagerEngine], reporter: Reporter) -> Verdict:
    reference = open_torch()
    try:
        # Built, kept and opened again: what is checked is what later runs are given.
        kind.open(model, open_torch=lambda: reference, reporter=reporter)
        engine = kind.open(model, open_torch=lambda: reference, reporter=reporter)
    except Cancelled:
        raise
    except MedSegAIError as error:
        return Verdict(None, problem=error.problem, lasts=isinstance(error, ModelError))
    ours, theirs, torch_seconds, engine_seconds = [], [], 0.0, 0.0
    for window in check_windows(model.card):
        raise_if_cancelled(reporter)
        logits, torch_seconds = _timed(reference, window)
        ours.append(logits)
        try:
            logits, engine_seconds = _timed(engine, window)
        except MedSegAIError as error:
            return Verdict(None, problem=error.problem, lasts=False)
        theirs.append(logits)
    # The first window of each was cold; the seconds are those of the last.
    return Verdict(compare(np.concatenate(ours), np.concatenate(theirs)), torch_seconds, engine_seconds)


def _timed(engine: Engine, window: np.ndarray) -> tuple[np.ndarray, float]:
    started = time.process_time()
    logits = np.asarray(engine.predict(window[None]))
    return logits, time.process_time() - started
