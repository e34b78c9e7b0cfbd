"""Rigid registration of one scan to another, of any contrasts, the same bits on every run.

Mattes mutual information (Mattes et al., IEEE TMI 2003) at 8, 4 and 2 mm with regular-step gradient descent, from
several starts; the best at each level go on to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.align.alignment import Alignment
from MedSegAI.Logic.align.judge import judge
from MedSegAI.Logic.align.levels import COARSE_MM, FINE_MM, MIDDLE_MM, centre_of_mass, levels
from MedSegAI.Logic.align.multi_start import STARTS, starts
from MedSegAI.Logic.align.mutual_information import likeness
from MedSegAI.Logic.align.rigid_search import in_millimetres, rigid, search
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.standardise.itk_registration import Stages, one_thread
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    import SimpleITK

_STAGE = "aligning"
_KEPT = 3
_DIFFERENT = 0.05
_VOXELS_LOOKED_AT = 200_000
_HALF_BLOCK_MM = 24.0


def register_rigid(moving: Volume, reference: Volume, *, reporter: Reporter, seed: int = 0) -> Alignment:
    """Find the rigid transform that brings a scan to lie on another.

    Args:
        moving: The scan that is brought (k, j, i), any modality and grid, LPS mm.
        reference: The scan that stays.
        reporter: Told done/total of the stages; asked between them whether to stop.
        seed: Of the choice of voxels at the finest level.

    Returns:
        The alignment; its transform takes LPS mm of the reference to LPS mm of the moving scan. It is found for
        anything: look at its quality's verdict before you trust it.

    Raises:
        Cancelled: if the user asked to stop.
    """
    with one_thread():
        stages = Stages(reporter, _STAGE, total=1 + STARTS + _KEPT + 3)
        fixed, images = levels(reference), levels(moving)
        stages.next()
        kept = _from_afar(fixed[COARSE_MM], images[COARSE_MM], stages)
        best = _placed(kept, fixed[MIDDLE_MM], images[MIDDLE_MM], stages)
        best = _exactly(best, fixed[FINE_MM], images[FINE_MM], seed=seed)
        stages.next()
        halves = [_from_half(best, fixed[MIDDLE_MM], images[MIDDLE_MM], which=which) for which in (0, 1)]
        stages.next()
        transform, *of_halves = (in_millimetres(one) for one in (best, *halves))
        quality = judge(transform, fixed[MIDDLE_MM], images[MIDDLE_MM], halves=tuple(of_halves))
        stages.finish()
    return Alignment(transform, quality, moving.name, reference.name)


def _from_afar(reference: Volume, moving: Volume, stages: Stages) -> list[SimpleITK.Euler3DTransform]:
    """The most promising transforms of a search from every start, and that the scans lie as they should."""
    centre = centre_of_mass(reference)
    found = []
    for angles, shift in starts(reference, moving):
        start = rigid(centre, angles, shift)
        found.append(search(start, reference, moving, step=0.15, smallest=0.005, iterations=50))
        stages.next()
    # Most scans of one visit lie nearly right, so this is looked at closely whatever the coarse level made of it.
    as_they_lie = rigid(centre, np.zeros(3), np.zeros(3))
    return [*_best(found, reference, moving)[: _KEPT - 1], as_they_lie]


def _placed(
    kept: list[SimpleITK.Euler3DTransform], reference: Volume, moving: Volume, stages: Stages
) -> SimpleITK.Euler3DTransform:
    """The best of those that were kept, each searched on from."""
    refined = []
    for start in kept:
        refined.append(search(start, reference, moving, step=0.03, smallest=0.001, iterations=60))
        stages.next()
    return _best(refined, reference, moving)[0]


def _exactly(
    start: SimpleITK.Euler3DTransform, reference: Volume, moving: Volume, *, seed: int
) -> SimpleITK.Euler3DTransform:
    sampled = min(1.0, _VOXELS_LOOKED_AT / reference.grid.voxel_count)
    options = {"step": 0.01, "smallest": 0.0003, "iterations": 60, "sampled": sampled, "seed": seed}
    return search(start, reference, moving, **options)


def _best(
    transforms: list[SimpleITK.Euler3DTransform], reference: Volume, moving: Volume
) -> list[SimpleITK.Euler3DTransform]:
    """The transforms, best first, without those that lie close to a better one."""
    scores = [likeness(reference, moving, in_millimetres(transform)).score for transform in transforms]
    kept: list[SimpleITK.Euler3DTransform] = []
    for n in sorted(range(len(scores)), key=lambda n: -scores[n]):
        away = (np.abs(np.subtract(transforms[n].GetParameters(), near.GetParameters())).max() for near in kept)
        if all(distance > _DIFFERENT for distance in away):
            kept.append(transforms[n])
    return kept


def _from_half(
    best: SimpleITK.Euler3DTransform, reference: Volume, moving: Volume, *, which: int
) -> SimpleITK.Euler3DTransform:
    """The search once more, with half of the blocks of a three-dimensional chess board."""
    mm = np.stack(np.indices(reference.grid.shape), axis=-1) * np.array(reference.grid.spacing_kji)
    squares = (mm // _HALF_BLOCK_MM).sum(-1) % 2 == which
    mask = reference.with_array(squares.astype(np.uint8))
    return search(best, reference, moving, step=0.02, smallest=0.001, iterations=40, mask=mask)
