"""The clock of the benchmarks that hold several ways of one computation against each other: the library's own."""

from __future__ import annotations

from MedSegAI.Logic.bench.clock import interleaved_medians

__all__ = ["interleaved_medians"]
