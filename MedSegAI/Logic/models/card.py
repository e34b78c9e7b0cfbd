"""What a model is, what it accepts and how well it does: the card beside the weights.

A card is a JSON file checked against ``card_schema.json``. It is the only place that knows how a scan must be
prepared for its network, so training, inference and the faces all read it and nothing is guessed.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.models.calibration import Calibration
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.volume import Modality, Unit

SCHEMA_PATH = Path(__file__).with_name("card_schema.json")
UNDER_POINT = "under-point"


@dataclass(frozen=True)
class ModelInput:
    """One scan the network takes.

    Args:
        name: What the user calls it, such as "T1".
        modality: DICOM modality that is expected.
        unit: Unit of the voxels before normalisation.
        normalisation: How intensities are prepared, over the region that is segmented.
        optional: Whether the network was trained to do without it: its channel is then 0 after normalisation.
    """

    name: str
    modality: Modality
    unit: Unit
    normalisation: Normalisation
    optional: bool = False


@dataclass(frozen=True)
class Side:
    """One place the localiser finds and how the network's labels are renamed there.

    Args:
        name: What the place is called, such as "left hippocampus".
        box_ras_mm: x0, x1, y0, y1, z0, z1 in the template's RAS mm.
        mirrored: Whether the region is mirrored left to right before the network sees it.
        labels: Pairs (network's label value, label value in the segmentation).
    """

    name: str
    box_ras_mm: tuple[float, float, float, float, float, float]
    mirrored: bool
    labels: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Localiser:
    """How the structure is found in a scan larger than the crops the network knows.

    Args:
        template: Name of the registration template, see ``Logic/localise/atlas.py``.
        fits_below_mm: Extent along (i, j, k) in mm; a scan below it along every axis is used whole, as it is.
        margin_mm: Added around each mapped box.
        sides: The places to look at.
        labels: The labels of a localised segmentation.
        input: Name of the input that is looked at; None takes the first.
    """

    template: str
    fits_below_mm: tuple[float, float, float]
    margin_mm: float
    sides: tuple[Side, ...]
    labels: LabelTable
    input: str | None = None


@dataclass(frozen=True)
class ModelCard:
    """Everything known about a model; field by field as in ``card_schema.json``.

    Args:
        name: Folder name, lower case with hyphens.
        title: What a person reads.
        version: Of the weights.
        licence: SPDX name of the licence of the weights.
        description: Two or three sentences: what it segments, in what, and what it must not be used for.
        weights_sha256: Hex digest of ``weights.safetensors``.
        network: Class name of the network, such as ``SwinUNETR``.
        network_arguments: Keyword arguments of its constructor.
        inputs: The scans it takes, in channel order.
        spacing_mm: Spacing (i, j, k) of the model's space; its axes run i to Right, j to Anterior, k to Superior.
        window: Window (k, j, i) in voxels that the network sees at once.
        overlap: Overlap of neighbouring windows, 0 to below 1.
        skip_below: Windows whose normalised voxels all lie below this are background; None runs every window.
        components: "all"; "without-islands" for a structure in one piece: a region drops components smaller than a
            tenth of its largest; or "under-point" for a model that segments what the user points at and nothing else:
            a region is centred on the point and keeps the one component under it, or the nearest one.
        labels: The network's classes without background.
        saliency_layer: Layer that heat maps explain by default.
        localiser: How it finds its structure in a larger scan, if it can.
        point_box_mm: Extent (R, A, S) in mm of the box that is segmented around a point the user clicks, for a model
            that segments what the user points at; None: it takes no points.
        training: Free-form record of data, split, epochs, seconds and choices.
        accuracy: Free-form table of what was measured, on which cases, by which command.
        sample_data: Name of a scan that a newcomer can try it on.
        calibration: How logits become probabilities and labels; None: as the network gives them.
        revision: What this version was made from, why, and who signed it; empty for a first version.
    """

    name: str
    title: str
    version: str
    licence: str
    description: str
    weights_sha256: str
    network: str
    network_arguments: dict[str, Any]
    inputs: tuple[ModelInput, ...]
    spacing_mm: tuple[float, float, float]
    window: tuple[int, int, int]
    overlap: float
    labels: LabelTable
    saliency_layer: str
    skip_below: float | None = None
    components: str = "all"
    localiser: Localiser | None = None
    point_box_mm: tuple[float, float, float] | None = None
    training: dict[str, Any] = field(default_factory=dict)
    accuracy: dict[str, Any] = field(default_factory=dict)
    sample_data: str | None = None
    calibration: Calibration | None = None
    revision: dict[str, Any] = field(default_factory=dict)

    @property
    def needs_point(self) -> bool:
        """Whether the model segments what the user points at, and does not look for anything by itself."""
        return self.components == UNDER_POINT

    @property
    def class_count(self) -> int:
        """Number of the network's output channels, background included."""
        return len(self.labels) + 1

    def to_json(self) -> str:
        """The card as indented JSON text."""
        return json.dumps({"schema_version": 1, **_plain(asdict(self))}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, source: str = "the model card") -> ModelCard:
        """Read a card and check it against the schema.

        Raises:
            ModelError: for text that is not JSON or does not fit the schema; says where and why.
        """
        try:
            fields = json.loads(text)
        except json.JSONDecodeError as error:
            raise ModelError(
                f"{source} is not valid JSON: {error.msg} at line {error.lineno}.",
                advice="Fetch the model folder again, or mend the card.",
            ) from error
        _check_against_schema(fields, source)
        _check_inputs(fields, source)
        fields.pop("schema_version")
        fields["inputs"] = tuple(_model_input(entry) for entry in fields["inputs"])
        fields["labels"] = LabelTable.from_plain(fields["labels"])
        fields["localiser"] = _localiser(fields.get("localiser"))
        if fields.get("calibration") is not None:
            fields["calibration"] = Calibration.from_plain(fields["calibration"])
        for key in ("spacing_mm", "window"):
            fields[key] = tuple(fields[key])
        if fields.get("point_box_mm") is not None:
            fields["point_box_mm"] = tuple(fields["point_box_mm"])
        return cls(**fields)


@functools.cache
def card_schema() -> dict[str, Any]:
    """The JSON schema of a card."""
    return json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))


def _check_against_schema(fields: object, source: str) -> None:
    import jsonschema

    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(card_schema()).iter_errors(fields))
    if error is not None:
        raise ModelError(
            f"{source} is not a valid model card: {error.message} (at {error.json_path}).",
            advice="Compare it with the card of a shipped model and mend that field.",
        )


def _check_inputs(fields: dict[str, Any], source: str) -> None:
    """What a schema cannot say: inputs are told apart by name, at least one is always there, a point has its box."""
    names = [entry["name"] for entry in fields["inputs"]]
    looked_at = (fields.get("localiser") or {}).get("input")
    if len(set(names)) < len(names):
        wrong = f"two of its inputs have one name ({', '.join(names)})"
    elif all(entry.get("optional", False) for entry in fields["inputs"]):
        wrong = "each of its inputs is optional"
    elif fields.get("components") == UNDER_POINT and fields.get("point_box_mm") is None:
        wrong = "it keeps what lies under a point, and does not say how large the box around a point is (point_box_mm)"
    elif looked_at is not None and looked_at not in names:
        wrong = f"its localiser looks at '{looked_at}', which is none of its inputs ({', '.join(names)})"
    else:
        return
    raise ModelError(f"{source} is not a valid model card: {wrong}.", advice="Mend the card.")


def _plain(value: Any) -> Any:
    """Dataclass dictionaries as JSON wants them: a label table is the list of its labels."""
    if isinstance(value, Mapping):
        if set(value) == {"labels"} and isinstance(value["labels"], tuple):
            return [_plain(label) for label in value["labels"]]
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def _model_input(entry: dict[str, Any]) -> ModelInput:
    rules = dict(entry["normalisation"])
    for key in ("clip_percentiles", "clip_values"):
        if rules.get(key) is not None:
            rules[key] = tuple(rules[key])
    modality, unit = Modality(entry["modality"]), Unit(entry["unit"])
    return ModelInput(entry["name"], modality, unit, Normalisation(**rules), entry.get("optional", False))


def _localiser(entry: dict[str, Any] | None) -> Localiser | None:
    if entry is None:
        return None
    sides = tuple(
        Side(side["name"], tuple(side["box_ras_mm"]), side["mirrored"], tuple(tuple(p) for p in side["labels"]))
        for side in entry["sides"]
    )
    return Localiser(
        entry["template"],
        tuple(entry["fits_below_mm"]),
        entry["margin_mm"],
        sides,
        LabelTable.from_plain(entry["labels"]),
        entry.get("input"),
    )
