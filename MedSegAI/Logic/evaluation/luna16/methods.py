"""What is measured on LUNA16: a model of ours that is pointed at each nodule, one that looks by itself, or files.

A method that looks by itself is compared with a nodule by the connected parts that share a voxel with the nodule's
reference; parts that touch nothing any radiologist outlined are false alarms, and are counted beside the scores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from MedSegAI.Logic.errors import InputError, RegionError
from MedSegAI.Logic.evaluation.lesions import connected_lesions
from MedSegAI.Logic.evaluation.luna16.draw_outlines import PlacedMask
from MedSegAI.Logic.evaluation.luna16.references import ScanReferences
from MedSegAI.Logic.evaluation.masks import box_around
from MedSegAI.Logic.files.formats import IMAGE_ENDINGS
from MedSegAI.Logic.files.luna16 import Luna16Scan
from MedSegAI.Logic.files.read import read_image
from MedSegAI.Logic.geometry import Box, Triple, swap_lps_and_ras
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.engines.open import open_engine
from MedSegAI.Logic.inference.pointed_regions import scans_near
from MedSegAI.Logic.inference.scans import scans_for
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Volume

_SAME_GRID_MM = 0.05


@dataclass(frozen=True, eq=False)
class Found:
    """What a method found in a scan.

    Args:
        nodules: What it says each nodule with a reference is, by the nodule's name; None where it found nothing.
        false_alarms: Connected parts that touch nothing outlined; None for a method that does not look by itself.
    """

    nodules: Mapping[str, PlacedMask | None]
    false_alarms: int | None


class Luna16Method(Protocol):
    """One row of the table."""

    name: str
    """What the row is called."""

    looks_by_itself: bool
    """Whether it has false alarms; scans without nodules are read for such methods only."""

    def state(self, scan: Luna16Scan) -> str:
        """A text that changes when the method would find something else in this scan."""

    def find(self, scan: Luna16Scan, volume: Volume, references: ScanReferences) -> Found:
        """What it finds in a scan.

        Raises:
            InputError: if the scan, or what was stored for it, cannot be used.
        """


@dataclass(eq=False)
class OurModel:
    """A model of this program; one that needs a point is given each nodule's annotated centre.

    Args:
        name: What the row is called.
        model: Its name or folder; ``{fold}`` in it becomes the fold's number, for one model a fold.
        settings: How to segment.
        folds: The folds that will be asked for.

    Raises:
        ModelError: if there is no such model.
    """

    name: str
    model: str
    settings: RunSettings
    folds: tuple[int, ...]
    _open: dict[str, tuple[Model, Engine | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for fold in self.folds:
            self._model_of(fold)

    @property
    def looks_by_itself(self) -> bool:
        """Whether the model needs no point."""
        return not self._model_of(self.folds[0]).card.needs_point

    def state(self, scan: Luna16Scan) -> str:
        """The digest of the weights, and the settings that decide the result."""
        deciding = ("overlap", "region", *(("engine",) if self.settings.engine.may_change_labels else ()))
        decides = {key: value for key, value in self.settings.to_plain().items() if key in deciding}
        return f"{self._model_of(scan.fold).card.weights_sha256} {decides}"

    def find(self, scan: Luna16Scan, volume: Volume, references: ScanReferences) -> Found:
        """Segment the scan, or what lies under each nodule's centre."""
        model, engine = self._opened(scan.fold)
        if model.card.needs_point:
            found = {
                reference.nodule.name: self._at(reference.nodule.centre_lps, volume, model, engine)
                for reference in references.nodules
            }
            return Found(found, None)
        result = segment(volume, model, settings=self.settings, reporter=SilentReporter(), engine=engine)
        return found_in(result.labels.array, references)

    def _at(self, centre_lps: Triple, volume: Volume, model: Model, engine: Engine) -> PlacedMask | None:
        """None where the model finds nothing at the point."""
        point = tuple(float(value) for value in swap_lps_and_ras(centre_lps))
        settings = RunSettings(device=self.settings.device, overlap=self.settings.overlap, points=(point,))
        try:
            near = scans_near(scans_for(volume, model.card), model.card, point)
            labels = segment(near, model, settings=settings, reporter=SilentReporter(), engine=engine).labels
        except RegionError:
            return None
        start = tuple(int(value) for value in np.rint(volume.grid.kji_of(np.array(labels.grid.origin))))
        box = box_around(labels.array > 0)
        return None if box is None else PlacedMask(box.shift(start), labels.array[box.slices] > 0)

    def _model_of(self, fold: int) -> Model:
        name = self.model.replace("{fold}", str(fold))
        if name not in self._open:
            self._open[name] = (find_model(name), None)
        return self._open[name][0]

    def _opened(self, fold: int) -> tuple[Model, Engine]:
        name, model = self.model.replace("{fold}", str(fold)), self._model_of(fold)
        engine = self._open[name][1]
        if engine is None:
            # Models of other folds give way, so that ten of them never fill the memory.
            self._open = {key: (kept, None) for key, (kept, _) in self._open.items()}
            engine = open_engine(model, settings=self.settings, reporter=SilentReporter())
            self._open[name] = (model, engine)
        return model, engine


@dataclass(frozen=True)
class StoredPredictions:
    """Label maps that another program wrote: one file a scan, named ``SERIES`` and an image ending.

    Args:
        name: What the row is called.
        folder: Where they lie; any voxel that is not zero is nodule.
    """

    name: str
    folder: Path
    looks_by_itself: bool = True

    def state(self, scan: Luna16Scan) -> str:
        """Size and time of the file; its absence, too."""
        path = self._path(scan)
        if path is None:
            return "no file"
        about = path.stat()
        return f"{path.name} {about.st_size} {about.st_mtime_ns}"

    def find(self, scan: Luna16Scan, volume: Volume, references: ScanReferences) -> Found:
        """Read the scan's label map."""
        path = self._path(scan)
        if path is None:
            raise InputError(
                f"'{self.folder}' has no prediction for the scan {scan.series}.",
                advice=f"Write it as {scan.series}.nii.gz, also where nothing was found.",
            )
        labels = Volume.from_sitk(read_image(path), name=path.name)
        if not labels.grid.same_frame(volume.grid, tolerance_mm=_SAME_GRID_MM):
            raise InputError(
                f"'{path}' does not lie on the grid of its scan.", advice="Resample it to the scan, nearest neighbour."
            )
        return found_in(labels.array, references)

    def _path(self, scan: Luna16Scan) -> Path | None:
        places = (self.folder / f"{scan.series}{ending}" for ending in IMAGE_ENDINGS)
        return next((place for place in places if place.is_file()), None)


def found_in(labels: np.ndarray, references: ScanReferences) -> Found:
    """What a label map (k, j, i) of a whole scan says of each nodule, and its false alarms; not zero is nodule."""
    from scipy.ndimage import find_objects

    found = np.asarray(labels) != 0
    box = box_around(found)
    if box is None:
        return Found({reference.nodule.name: None for reference in references.nodules}, 0)
    parts, count = connected_lesions(found[box.slices])
    places = find_objects(parts)
    nodules: dict[str, PlacedMask | None] = {}
    touched: set[int] = set()
    for reference in references.nodules:
        numbers = _parts_under(reference.placed, parts, box)
        touched |= numbers
        nodules[reference.nodule.name] = _joined(sorted(numbers), parts, places, box)
    for marked in references.marked:
        touched |= _parts_under(marked, parts, box)
    return Found(nodules, count - len(touched))


def _parts_under(placed: PlacedMask, parts: np.ndarray, box: Box) -> set[int]:
    """Numbers of the parts, numbered inside ``box``, that share a voxel with a mask."""
    inside = placed.box.shift(tuple(-a for a in box.start)).clip(parts.shape)
    if inside.is_empty:
        return set()
    under = parts[inside.slices][placed.within(inside.shift(box.start))]
    return set(np.unique(under[under > 0]).tolist())


def _joined(numbers: list[int], parts: np.ndarray, places: list, box: Box) -> PlacedMask | None:
    if not numbers:
        return None
    boxes = [Box(tuple(s.start for s in places[n - 1]), tuple(s.stop for s in places[n - 1])) for n in numbers]
    around = boxes[0]
    for other in boxes[1:]:
        around = around.union(other)
    return PlacedMask(around.shift(box.start), np.isin(parts[around.slices], numbers))


def digest_of(*parts: object) -> str:
    """A short text that is the same for the same parts."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]
