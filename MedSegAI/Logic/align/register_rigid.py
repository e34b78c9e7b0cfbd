"""Rigid registration of one scan to another."""

from __future__ import annotations

from MedSegAI.Logic.align.alignment import Alignment
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.volume import Volume


def register_rigid(moving: Volume, reference: Volume, *, reporter: Reporter) -> Alignment:
    """Find the rigid transform that brings a scan to lie on another.

    Raises:
        InputError: if the two cannot be brought to overlap.
        Cancelled: if the user asked to stop.
    """
    raise InputError("Registration is not there yet.")
