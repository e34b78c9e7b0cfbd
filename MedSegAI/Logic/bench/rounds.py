"""One case measured: round after round every contestant once, the first round for warming up and for the answers."""

from __future__ import annotations

from typing import Any

from MedSegAI.Logic.bench.clock import Clock, Reading
from MedSegAI.Logic.bench.measure import Action, Contest, Parity
from MedSegAI.Logic.bench.record import ContestantRecord
from MedSegAI.Logic.errors import Cancelled, MedSegAIError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled


class Rounds:
    """What a contest gives, filled round by round, so that what was measured can be had at any moment.

    Args:
        contest: The contest.
        clock: Reads what each action takes.
        warm_up: Whether a round that does not count comes first.
    """

    def __init__(self, contest: Contest, *, clock: Clock, warm_up: bool = True) -> None:
        self._contest, self._clock, self._warm_up = contest, clock, warm_up
        self._readings: dict[str, list[Reading]] = {name: [] for name in contest.actions}
        self._parity: dict[str, tuple[Parity, ...]] = {}
        self._failed: dict[str, str] = {}

    def run(self, rounds: int, *, stage: str, reporter: Reporter) -> None:
        """Measure every contestant ``rounds`` times.

        A contestant that fails is left out from then on; its place in the record says how it failed.

        Raises:
            Cancelled: if the user asked to stop.
        """
        total = (rounds + self._warm_up) * len(self._contest.actions)
        done, answers = 0, {}
        for number in range(rounds + self._warm_up):
            for name, action in self._contest.actions.items():
                raise_if_cancelled(reporter)
                found = None if name in self._failed else self._measured(name, action)
                done += 1
                reporter.progress(done, total, stage)
                if found is None:
                    continue
                answer, reading = found
                if number == 0:
                    answers[name] = answer
                if number or not self._warm_up:
                    self._readings[name].append(reading)
            if number == 0:
                self._parity = dict(self._contest.parity(answers))
                answers = {}

    def contestants(self) -> tuple[ContestantRecord, ...]:
        """What was found so far."""
        found = [
            ContestantRecord(
                name=name,
                ours=name in self._contest.ours,
                readings=tuple(self._readings[name]),
                parity=self._parity.get(name, ()),
                failed=self._failed.get(name, ""),
            )
            for name in self._contest.actions
        ]
        absent = [
            ContestantRecord(name, ours=name in self._contest.ours, absent=reason)
            for name, reason in self._contest.absent.items()
        ]
        return (*found, *absent)

    def _measured(self, name: str, action: Action) -> tuple[Any, Reading] | None:
        try:
            return self._clock.read(action)
        except Cancelled:
            raise
        except MedSegAIError as error:
            self._failed[name] = f"failed: {error.problem.rstrip('.')}"
        except Exception as error:
            # Another program may end in any way, and hours of measuring must not end with it.
            self._failed[name] = f"failed: {_first_line(error)}"
        return None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
