"""Every measure there is; whoever adds one adds it here."""

from __future__ import annotations

from collections.abc import Sequence

from MedSegAI.Logic.bench.measure import Measure
from MedSegAI.Logic.bench.measures.bias_field import BiasField
from MedSegAI.Logic.bench.measures.click import Click
from MedSegAI.Logic.bench.measures.heat_map import HeatMapOfWindow
from MedSegAI.Logic.bench.measures.heat_map_volume import HeatMapOfVolume
from MedSegAI.Logic.bench.measures.memory import PeakMemoryOfVolume
from MedSegAI.Logic.bench.measures.network import NetworkForward
from MedSegAI.Logic.bench.measures.resample import Resample
from MedSegAI.Logic.bench.measures.staple import Staple
from MedSegAI.Logic.bench.measures.surface_distance import SurfaceDistance
from MedSegAI.Logic.bench.measures.training_step import TrainingStep
from MedSegAI.Logic.bench.measures.whole_volume import WholeVolume
from MedSegAI.Logic.bench.measures.window_latency import WindowLatency
from MedSegAI.Logic.errors import InputError

_MEASURES: tuple[type[Measure], ...] = (
    NetworkForward,
    TrainingStep,
    WholeVolume,
    PeakMemoryOfVolume,
    HeatMapOfWindow,
    HeatMapOfVolume,
    Staple,
    Resample,
    BiasField,
    SurfaceDistance,
    WindowLatency,
    Click,
)


def all_measures() -> tuple[Measure, ...]:
    """All of them, in the order in which they are measured."""
    return tuple(measure() for measure in _MEASURES)


def measures_named(names: Sequence[str]) -> tuple[Measure, ...]:
    """Those of these names, in the order of the catalogue; all where none is named.

    Raises:
        InputError: for a name that there is not; says which there are.
    """
    there = {measure.name: measure for measure in all_measures()}
    unknown = [name for name in names if name not in there]
    if unknown:
        raise InputError(f"There is no measure '{unknown[0]}'.", advice=f"Choose of: {', '.join(there)}.")
    return tuple(measure for name, measure in there.items() if not names or name in names)
