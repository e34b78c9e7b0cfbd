"""Where raters disagree: the uncertainty of each voxel, and a list of places to look at one after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.agreement.votes import NOT_LOOKED, Votes
from MedSegAI.Logic.geometry import Box, Shape, Triple
from MedSegAI.Logic.labels import LabelTable

_PLACES_KEPT_BEFORE_CUTTING = 10


@dataclass(frozen=True)
class Said:
    """What a rater says of most of a place.

    ``label`` is a label value, 0 for background, None where the rater did not look; ``share`` is the part 0..1 of the
    place that it is said of.
    """

    rater: str
    label: int | None
    share: float


@dataclass(frozen=True)
class Place:
    """A connected group of voxels on which the raters disagree.

    Args:
        centre_lps: A voxel of the place where it is thickest, LPS mm (x, y, z).
        centre_kji: The same voxel as (k, j, i).
        box: The box around the place on the grid.
        voxels: How many.
        volume_ml: Their volume in mL.
        mean_entropy: Mean uncertainty of its voxels in bits.
        said: What each rater says of it.
    """

    centre_lps: Triple
    centre_kji: Shape
    box: Box
    voxels: int
    volume_ml: float
    mean_entropy: float
    said: tuple[Said, ...]

    def sentence(self, table: LabelTable) -> str:
        """Who says what, such as "Ann and Ben say tumour; Cleo says background (0.42 mL)."."""
        names = {label.value: label.name for label in table} | {0: "background", None: "nothing (did not look)"}
        sides: dict[int | None, list[str]] = {}
        for said in self.said:
            sides.setdefault(said.label, []).append(said.rater)
        # Structures, then background, then who did not look.
        order = sorted(sides, key=lambda label: (label is None, -(label or 0)))
        parts = [f"{in_words(sides[n])} {'says' if len(sides[n]) == 1 else 'say'} {names[n]}" for n in order]
        return f"{'; '.join(parts)} ({self.volume_ml:.2g} mL)."


def in_words(names: list[str] | tuple[str, ...]) -> str:
    """Names as a sentence has them: "Ann, Ben and Cleo"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def vote_entropy(votes: Votes, *, label: int | None = None) -> np.ndarray:
    """Shannon entropy of the raters' votes in each voxel, in bits: float32 (k, j, i) on the whole grid.

    Each rater who looked has one vote; a consensus has none. 0 where all say the same or nobody looked; 1 where two
    sides are equally strong.

    Args:
        votes: The votes.
        label: Count only whether a rater says this label or not; None tells all labels apart.
    """
    whole = np.zeros(votes.grid.shape, np.float32)
    whole[votes.box.slices] = _entropy_of_patterns(_asked(votes, label))[votes.codes]
    return whole


def disagreement_places(
    votes: Votes,
    *,
    label: int | None = None,
    entropy: np.ndarray | None = None,
    most: int = 100,
    longest_mm: float = 20.0,
) -> tuple[Place, ...]:
    """Where the raters disagree, the place with the most uncertainty (entropy times volume) first.

    A place is a group of disagreeing voxels joined by faces. The rim around a large organ would be a single one, so a
    place longer than ``longest_mm`` is cut in halves, across its longest side, until no piece is.

    Args:
        votes: The votes; a consensus has none.
        label: Look only at who says this label and who does not; None tells all labels apart.
        entropy: Uncertainty of each voxel in bits, (k, j, i) on the whole grid, such as the entropy of a posterior;
            None takes the entropy of the votes.
        most: At most so many places.
        longest_mm: No side of a place's box is longer, unless one voxel is.
    """
    asked = _asked(votes, label)
    spread = _entropy_of_patterns(asked)
    if entropy is None:
        uncertainty = spread[votes.codes]
    else:
        uncertainty = np.where(spread[votes.codes] > 0, entropy[votes.box.slices], 0)
    most_groups = most * _PLACES_KEPT_BEFORE_CUTTING
    groups = _strongest(_connected(spread[votes.codes] > 0, Box.whole(votes.codes.shape)), uncertainty, most_groups)
    pieces = _cut(groups, spacing_kji=votes.grid.spacing_kji, longest_mm=longest_mm)
    weighed = [(float(uncertainty[box.slices][mask].sum()), box, mask) for box, mask in pieces]
    weighed.sort(key=lambda piece: (-piece[0], -np.count_nonzero(piece[2]), piece[1].start))
    return tuple(_place(votes, asked, weight, box, mask) for weight, box, mask in weighed[:most])


def _asked(votes: Votes, label: int | None) -> np.ndarray:
    """The raters' patterns; with a label, every other label counts as background."""
    said = votes.of_raters
    if label is None:
        return said
    return np.where(said == NOT_LOOKED, NOT_LOOKED, np.where(said == label, label, 0))


def _entropy_of_patterns(patterns: np.ndarray) -> np.ndarray:
    looked = (patterns != NOT_LOOKED).sum(1)
    entropy = np.zeros(len(patterns), np.float32)
    for value in np.unique(patterns[patterns != NOT_LOOKED]):
        share = (patterns == value).sum(1) / np.maximum(looked, 1)
        entropy -= np.where(share > 0, share * np.log2(np.where(share > 0, share, 1)), 0).astype(np.float32)
    return np.maximum(entropy, 0)


def _cut(
    groups: list[tuple[Box, np.ndarray]], *, spacing_kji: Triple, longest_mm: float
) -> Iterator[tuple[Box, np.ndarray]]:
    """Connected groups as (box, bool array of the box), none longer than ``longest_mm`` if it can be cut."""
    waiting = list(groups)
    while waiting:
        box, piece = waiting.pop()
        lengths = [n * size if n > 1 else 0 for n, size in zip(box.shape, spacing_kji)]
        axis = int(np.argmax(lengths))
        if lengths[axis] <= longest_mm:
            yield box, piece
            continue
        middle = box.start[axis] + box.shape[axis] // 2
        for low, high in ((box.start[axis], middle), (middle, box.stop[axis])):
            start, stop = list(box.start), list(box.stop)
            start[axis], stop[axis] = low, high
            half = Box(tuple(start), tuple(stop))
            back = tuple(-a for a in box.start)
            waiting.extend(_connected(piece[half.shift(back).slices], half))


def _connected(mask: np.ndarray, box: Box) -> Iterator[tuple[Box, np.ndarray]]:
    from scipy.ndimage import find_objects, label

    if not mask.size:
        return
    numbered, _ = label(mask)
    for number, found in enumerate(find_objects(numbered), start=1):
        inner = Box(tuple(s.start for s in found), tuple(s.stop for s in found))
        yield inner.shift(box.start), numbered[found] == number


def _strongest(
    found: Iterator[tuple[Box, np.ndarray]], uncertainty: np.ndarray, most: int
) -> list[tuple[Box, np.ndarray]]:
    pieces = list(found)
    if len(pieces) <= most:
        return pieces
    return sorted(pieces, key=lambda piece: -uncertainty[piece[0].slices][piece[1]].sum())[:most]


def _place(votes: Votes, asked: np.ndarray, weight: float, box: Box, mask: np.ndarray) -> Place:
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(mask, 1), sampling=votes.grid.spacing_kji)[1:-1, 1:-1, 1:-1]
    thickest = np.argwhere(depth >= depth.max() - 1e-9)
    middle = np.argwhere(mask).mean(0)
    centre = thickest[np.argmin((((thickest - middle) * votes.grid.spacing_kji) ** 2).sum(1))]
    on_grid = box.shift(votes.box.start)
    kji = tuple(int(c + s) for c, s in zip(centre, on_grid.start))
    said = asked[votes.codes[box.slices][mask]]
    voxels = int(np.count_nonzero(mask))
    return Place(
        centre_lps=tuple(float(x) for x in votes.grid.lps_of(np.array(kji))),
        centre_kji=kji,
        box=on_grid,
        voxels=voxels,
        volume_ml=voxels * votes.grid.voxel_volume_ml,
        mean_entropy=weight / voxels,
        said=tuple(_most_said(rater, column) for rater, column in zip(votes.raters, said.T)),
    )


def _most_said(rater: str, values: np.ndarray) -> Said:
    found, times = np.unique(values, return_counts=True)
    often = int(np.argmax(times))
    return Said(rater, None if found[often] == NOT_LOOKED else int(found[often]), float(times[often] / len(values)))
