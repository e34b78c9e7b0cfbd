"""Real structures that several raters outlined: lung nodules by radiologists, brain tumours by five algorithms.

Nodules come with enough background around them for every margin of the study; the masks themselves stop at the edge.
Slot "reader 1" is whoever of a scan's radiologists was written down first, so it is another person in another scan.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.consensus.unify import box_of_votes, cropped, ratings_of
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable

WIDEST_MARGIN_MM = 10.0
NODULE = LabelTable((Label(1, "nodule", "Nodule", (0.9, 0.3, 0.2)),))
TUMOUR_PARTS = LabelTable(
    (
        Label(1, "necrosis", "Necrosis and non-enhancing core", (0.9, 0.2, 0.2)),
        Label(2, "oedema", "Oedema", (0.2, 0.8, 0.2)),
        Label(4, "enhancing", "Enhancing tumour", (0.2, 0.4, 0.9)),
    )
)


@dataclass(frozen=True, eq=False)
class RatedCase:
    """One structure, or one patient's structures; cases of one patient are not independent of each other.

    Args:
        name: Unique in its set.
        patient: Whose.
        ratings: What each rater drew.
        image: Shades (k, j, i) 0..255 on the ratings' grid, for pictures; None where there is none.
    """

    name: str
    patient: str
    ratings: Ratings
    image: np.ndarray | None = None


def lidc_masks(folder: Path) -> Iterator[RatedCase]:
    """The nodules of ``lidc_multireader``: masks of 3 or 4 radiologists, without their CT."""
    packed = np.load(folder / "masks_packed.npz")["packed"]
    for entry in json.loads((folder / "index.json").read_text()):
        shape = [entry["readers"], *entry["shape"]]
        bits = np.unpackbits(packed[entry["offset"] : entry["offset"] + entry["nbytes"]])
        masks = bits[: np.prod(shape)].reshape(shape).transpose(0, 3, 2, 1)
        spacing = (entry["pixel_spacing"], entry["pixel_spacing"], entry["slice_spacing"])
        yield nodule(entry["key"], entry["patient"], masks, spacing)


def lidc_with_ct(folder: Path) -> Iterator[RatedCase]:
    """The nodules of ``lidc_nodules_ct``: the same kind, with the slices that any reader marked."""
    arrays = np.load(folder / "lidc_nodules_ct.npz")
    images, bits = arrays["images"], arrays["masks_bits"]
    for entry in json.loads((folder / "index.json").read_text()):
        slices = slice(entry["start"], entry["start"] + entry["n_slices"])
        masks = np.stack([bits[slices] >> reader & 1 for reader in range(entry["n_raters"])])
        spacing = (entry["pixel_spacing"], entry["pixel_spacing"], entry["slice_spacing"])
        name = f"{entry['patient']}_s{entry['scan_id']}_n{entry['nodule']}"
        yield nodule(name, entry["patient"], masks, spacing, image=images[slices])


def nodule(
    name: str, patient: str, masks: np.ndarray, spacing: tuple[float, float, float], *, image: np.ndarray | None = None
) -> RatedCase:
    """A case of masks (reader, k, j, i) with the widest margin of background around all votes."""
    margins = [int(np.ceil(WIDEST_MARGIN_MM / size)) for size in spacing[::-1]]
    around = [(margin, margin) for margin in margins]
    padded = np.pad(masks.astype(np.uint8), [(0, 0), *around])
    raters = tuple(Rating(f"reader {number}", mask) for number, mask in enumerate(padded, start=1))
    ratings = Ratings(Grid(padded.shape[1:], spacing), NODULE, raters)
    box = box_of_votes(ratings, margin_mm=WIDEST_MARGIN_MM)
    shades = None if image is None else np.pad(image, around, mode="edge")[box.slices]
    return RatedCase(name, patient, cropped(ratings, box), shades)


def brain_tumours(folder: Path) -> Iterator[RatedCase]:
    """The two patients of ``brats_like`` that five algorithms segmented, on their whole grids."""
    for case in sorted(path.parent for path in folder.glob("*/segmentation")):
        masks = {path.name.split("-")[0]: path for path in sorted((case / "segmentation").glob("*.nii.gz"))}
        given = {name: read_segmentation(path) for name, path in masks.items()}
        yield RatedCase(case.name, case.name, ratings_of(given, table=TUMOUR_PARTS))
