"""The table ``data`` of kind "decathlon": labelled images in the layout of the Medical Segmentation Decathlon."""

from __future__ import annotations

from dataclasses import dataclass, field

from MedSegAI.Logic.standardise.intensity import KINDS
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.training.config_tables.check import need, need_one_of


@dataclass(frozen=True)
class DataConfig:
    """Which images are trained on and how they are prepared.

    Args:
        labels: Label value to name, 1, 2, 3 and so on; background (0) left out.
        kind: Which kind of data this is: "decathlon", labelled images in that layout, where nothing else is written.
        folder: Name of the data set's folder inside the one that MEDSEGAI_DATA names. Empty: that folder itself.
        split_file: JSON file with the lists "train" and "val" of case names; relative to the data folder.
            "split.json".
        normalisation: Rule of ``Logic/standardise/intensity.py``, applied to each whole image. z_score with the
            percentiles 0.5 and 99.5 clipped suits MR, whose values have no unit; write kind: range with clip_values
            in HU for CT.
        spacing_mm: Spacing (i, j, k) of the model's space, to which images are resampled. 1 mm, as brain MR is taken.
    """

    labels: dict[int, str]
    kind: str = "decathlon"
    folder: str = ""
    split_file: str = "split.json"
    normalisation: Normalisation = field(default_factory=lambda: Normalisation("z_score", (0.5, 99.5)))
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        need_one_of(self.normalisation.kind, KINDS, "data.normalisation.kind")
        need(bool(self.labels), "data.labels is empty", "name at least one label, such as '1: anterior'")
        need(
            sorted(self.labels) == list(range(1, len(self.labels) + 1)),
            f"data.labels has the values {sorted(self.labels)}",
            "number the labels 1, 2, 3 and so on without gaps; 0 is the background",
        )
        need(min(self.spacing_mm) > 0, f"data.spacing_mm is {self.spacing_mm}", "give three positive numbers")
