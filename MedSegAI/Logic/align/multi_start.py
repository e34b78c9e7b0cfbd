"""From where a registration sets out: the guesses at how two scans lie to each other."""

from __future__ import annotations

import itertools

import numpy as np

from MedSegAI.Logic.align.levels import centre_of_extent, centre_of_mass
from MedSegAI.Logic.volume import Volume

_TURNS_DEGREES = (-25.0, 25.0)
STARTS = 3 + 3 * len(_TURNS_DEGREES)
"""How many guesses there are."""


def starts(reference: Volume, moving: Volume) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rigid guesses as pairs (angles in radians about x, y, z; shift in mm), about the reference's centre of mass.

    As they lie; by the centres of mass; by the centres of their extents; by the centres of mass, each time turned about
    one axis to either side.

    Args:
        reference: The scan that stays, LPS mm.
        moving: The scan that is brought to it, LPS mm.
    """
    masses = centre_of_mass(moving) - centre_of_mass(reference)
    extents = centre_of_extent(moving) - centre_of_extent(reference)
    guesses = [(np.zeros(3), shift) for shift in (np.zeros(3), masses, extents)]
    for axis, degrees in itertools.product(range(3), _TURNS_DEGREES):
        angles = np.zeros(3)
        angles[axis] = np.deg2rad(degrees)
        guesses.append((angles, masses))
    return guesses
