"""The learning rate of every step."""

from __future__ import annotations

import math

from MedSegAI.Logic.training.config import OptimiserConfig, TrainingConfig
from MedSegAI.Logic.training.config_tables.schedule import COSINE, ScheduleConfig


def rate_of_step(step: int, config: TrainingConfig, *, epoch_steps: int, cpu_seconds: float) -> float:
    """Learning rate of step 0, 1, 2... as the configuration's tables ``optimiser`` and ``schedule`` want it.

    Args:
        step: Steps done before.
        config: Of the run.
        epoch_steps: Steps of an epoch.
        cpu_seconds: Processor time used so far; a single cosine spans whichever limit is nearer to its end.
    """
    if config.schedule.kind != COSINE:
        return warm_restarts(step / epoch_steps, config.schedule, config.optimiser) * _warm_up(step, config.optimiser)
    rules = config.optimiser
    if step < rules.warm_up_steps:
        return rules.learning_rate * _warm_up(step, rules)
    shares = [0.0]
    if config.total_steps is not None:
        shares.append((step - rules.warm_up_steps) / max(config.total_steps - rules.warm_up_steps, 1))
    if config.cpu_minutes is not None:
        shares.append(cpu_seconds / (60 * config.cpu_minutes))
    return cosine(max(shares), rules)


def learning_rate(step: int, total_steps: int, config: OptimiserConfig) -> float:
    """Rate of step 0, 1, 2...: linear from near zero, then a half cosine down to ``final_fraction`` of the peak."""
    if step < config.warm_up_steps:
        return config.learning_rate * _warm_up(step, config)
    return cosine((step - config.warm_up_steps) / max(total_steps - config.warm_up_steps, 1), config)


def cosine(share: float, config: OptimiserConfig) -> float:
    """Rate after a share (0 to 1) of half a cosine from the peak to ``final_fraction`` of it."""
    falling = 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    return config.learning_rate * (config.final_fraction + (1 - config.final_fraction) * falling)


def warm_restarts(epoch: float, schedule: ScheduleConfig, config: OptimiserConfig) -> float:
    """Rate after ``epoch`` epochs, fractions counted: half cosines one after another, each ``factor`` times as long.

    Equal to torch's CosineAnnealingWarmRestarts with T_0 ``first_epochs``, T_mult ``factor`` and eta_min
    ``final_fraction`` of the rate.
    """
    into, length = epoch, float(schedule.first_epochs)
    if schedule.factor == 1:
        into = epoch % length
    while into >= length:
        into, length = into - length, length * schedule.factor
    return cosine(into / length, config)


def _warm_up(step: int, config: OptimiserConfig) -> float:
    return min(1.0, (step + 1) / config.warm_up_steps) if config.warm_up_steps else 1.0
