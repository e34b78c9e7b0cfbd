"""Everything a training run depends on, read from one YAML file and checked before the first step."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.normalisation import Normalisation

_KIND_NAMES = {int: "a whole number", float: "a number (write 1.0e-3, not 1e-3)", str: "a text"}


@dataclass(frozen=True)
class DataConfig:
    """Which images are trained on and how they are prepared.

    Args:
        folder: Name of the data set's folder inside the one that MEDSEGAI_DATA names.
        split_file: JSON file with the lists "train" and "val" of case names; relative to the data folder.
        labels: Label value to name, background (0) left out.
        normalisation: Rule of ``Logic/standardise/intensity.py``, applied to each whole image.
        spacing_mm: Spacing (i, j, k) of the model's space, to which images are resampled.
    """

    labels: dict[int, str]
    folder: str = ""
    split_file: str = "split.json"
    normalisation: Normalisation = field(default_factory=lambda: Normalisation("z_score", (0.5, 99.5)))
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        _need(bool(self.labels), "data.labels is empty", "name at least one label, such as '1: anterior'")
        _need(
            sorted(self.labels) == list(range(1, len(self.labels) + 1)),
            f"data.labels has the values {sorted(self.labels)}",
            "number the labels 1, 2, 3 and so on without gaps; 0 is the background",
        )
        _need(min(self.spacing_mm) > 0, f"data.spacing_mm is {self.spacing_mm}", "give three positive numbers")


@dataclass(frozen=True)
class NetworkConfig:
    """The network and its constructor's keyword arguments, as the model card will record them."""

    name: str = "SwinUNETR"
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AugmentationConfig:
    """How far training images are varied; see ``Logic/training/augment.py``. Every field at 0 switches it off.

    Args:
        rotation_degrees: Largest rotation about each axis.
        scale: Largest relative change of size along each axis.
        shear: Largest shear.
        shift_voxels: Largest shift of the patch away from where it was placed.
        elastic_voxels: Standard deviation of a smooth random displacement.
        affine_probability: How often rotation, scale, shear and elastic displacement are applied.
        flip_probability: How often left and right (the i axis) are exchanged.
        intensity_probability: How often each of gain, offset, gamma, noise and blur is applied.
        gain, offset: Largest change of the normalised intensities: ``x * (1 +- gain) +- offset``.
        gamma: Largest change of the exponent, as a factor ``1 + gamma`` or its inverse.
        noise: Largest standard deviation of Gaussian noise, in units of the normalised image.
        blur_voxels: Largest standard deviation of the Gaussian blur.
        bias_field: Largest logarithm of a smooth multiplicative field.
        low_resolution: Largest factor by which the resolution is lowered and interpolated back.
    """

    rotation_degrees: float = 15.0
    scale: float = 0.15
    shear: float = 0.05
    shift_voxels: float = 6.0
    elastic_voxels: float = 1.0
    affine_probability: float = 0.9
    flip_probability: float = 0.5
    intensity_probability: float = 0.3
    gain: float = 0.2
    offset: float = 0.2
    gamma: float = 0.4
    noise: float = 0.2
    blur_voxels: float = 1.0
    bias_field: float = 0.3
    low_resolution: float = 2.0

    def __post_init__(self) -> None:
        for entry in dataclasses.fields(self):
            value = getattr(self, entry.name)
            _need(value >= 0, f"augmentation.{entry.name} is {value}", "give 0 or a positive number")
            if entry.name.endswith("_probability"):
                _need(value <= 1, f"augmentation.{entry.name} is {value}", "give a number from 0 to 1")
        _need(self.scale < 1, f"augmentation.scale is {self.scale}", "give a number below 1")


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW (Loshchilov and Hutter 2019) with a linear warm-up and a cosine decay to ``final_fraction`` of the rate.

    Args:
        learning_rate: Peak rate.
        weight_decay: Decoupled decay, on weight matrices only.
        warm_up_steps: Steps of the linear warm-up.
        final_fraction: Rate at the last step as a fraction of the peak.
        gradient_norm: Gradients are clipped to this norm.
        average_decay: Decay a step of the exponential moving average of the weights; 0 keeps the raw weights.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up_steps: int = 200
    final_fraction: float = 0.01
    gradient_norm: float = 1.0
    average_decay: float = 0.998

    def __post_init__(self) -> None:
        _need(self.learning_rate > 0, f"optimiser.learning_rate is {self.learning_rate}", "give a positive number")
        _need(self.weight_decay >= 0, f"optimiser.weight_decay is {self.weight_decay}", "give 0 or a positive number")
        _need(self.warm_up_steps >= 0, f"optimiser.warm_up_steps is {self.warm_up_steps}", "give 0 or more steps")
        _need(
            0 <= self.final_fraction <= 1,
            f"optimiser.final_fraction is {self.final_fraction}",
            "give a number from 0 to 1",
        )
        _need(self.gradient_norm > 0, f"optimiser.gradient_norm is {self.gradient_norm}", "give a positive number")
        _need(
            0 <= self.average_decay < 1,
            f"optimiser.average_decay is {self.average_decay}",
            "give a number from 0 to below 1, such as 0.998",
        )


@dataclass(frozen=True)
class ValidationConfig:
    """How the run is watched.

    Args:
        every_epochs: Epochs between validations.
        overlap: Overlap of the validation's windows.
        patience: Validations without a better mean Dice after which the run stops; 0 never stops early.
    """

    every_epochs: int = 5
    overlap: float = 0.0
    patience: int = 0

    def __post_init__(self) -> None:
        _need(self.every_epochs >= 1, f"validation.every_epochs is {self.every_epochs}", "give 1 or more epochs")
        _need(0 <= self.overlap < 1, f"validation.overlap is {self.overlap}", "give a number from 0 to below 1")
        _need(self.patience >= 0, f"validation.patience is {self.patience}", "give 0 or more validations")


@dataclass(frozen=True)
class TrainingConfig:
    """One run. Two runs with equal configurations on one machine end with equal weights.

    Args:
        patch_size: Patch (k, j, i) in voxels.
        batch_size: Patches a step.
        total_steps: Steps of the whole run; the learning-rate schedule spans them.
        foreground_fraction: How often a patch is centred on a labelled voxel instead of anywhere in the image.
        dice_background: "included" or "excluded": whether the background counts in the Dice part of the loss.
        seed: Seed of everything random.
        threads: torch threads.
    """

    name: str
    data: DataConfig
    patch_size: tuple[int, int, int]
    total_steps: int
    batch_size: int = 2
    foreground_fraction: float = 0.8
    dice_background: str = "excluded"
    seed: int = 1
    threads: int = 1
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)

    def __post_init__(self) -> None:
        _need(min(self.patch_size) > 0, f"patch_size is {self.patch_size}", "give three positive numbers of voxels")
        _need(self.total_steps >= 1, f"total_steps is {self.total_steps}", "give 1 or more steps")
        _need(self.batch_size >= 1, f"batch_size is {self.batch_size}", "give 1 or more patches")
        _need(
            0 <= self.foreground_fraction <= 1,
            f"foreground_fraction is {self.foreground_fraction}",
            "give a number from 0 to 1",
        )
        _need(
            self.dice_background in ("included", "excluded"),
            f"dice_background is '{self.dice_background}'",
            "write 'included' or 'excluded'",
        )
        _need(self.threads >= 1, f"threads is {self.threads}", "give 1 or more threads")

    @property
    def class_count(self) -> int:
        """Output channels of the network, background included."""
        return len(self.data.labels) + 1


def read_config(path: Path) -> TrainingConfig:
    """Read and check a YAML configuration.

    Raises:
        InputError: if the file is missing, is not YAML, or a field is unknown, missing or out of range.
    """
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}.", advice="Check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(f"'{path}' is not valid YAML: {reason}.", advice="Mend the file.") from error
    return config_from_mapping(content, source=f"'{path}'")


def config_from_mapping(content: object, *, source: str = "the configuration") -> TrainingConfig:
    """Check nested dictionaries, as YAML or a checkpoint holds them, into a configuration.

    Raises:
        InputError: as :func:`read_config`.
    """
    try:
        return _build(TrainingConfig, content, "")
    except InputError as error:
        raise InputError(f"{source} cannot be used: {error.problem}", advice=error.advice) from error


def config_as_mapping(config: TrainingConfig) -> dict[str, Any]:
    """The configuration as plain nested dictionaries and lists; :func:`config_from_mapping` reads them back."""
    return _plain(dataclasses.asdict(config))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _need(condition: bool, problem: str, advice: str) -> None:
    if not condition:
        raise InputError(f"{problem}.", advice=f"{advice[0].upper()}{advice[1:]}.")


def _build(cls: type, content: object, path: str) -> Any:
    where = path or "the top level"
    _need(isinstance(content, Mapping), f"{where} is not a table of fields", "write 'field: value' lines")
    known = {entry.name: entry for entry in dataclasses.fields(cls)}
    unknown = sorted(str(key) for key in content if key not in known)
    _need(not unknown, f"{where} has the unknown field '{', '.join(unknown)}'", f"known are {', '.join(known)}")
    missing = [
        name
        for name, entry in known.items()
        if name not in content and entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
    ]
    _need(not missing, f"{where} lacks the field '{', '.join(missing)}'", "add it")
    hints = typing.get_type_hints(cls)
    prefix = f"{path}." if path else ""
    return cls(**{key: _convert(value, hints[key], f"{prefix}{key}") for key, value in content.items()})


def _convert(value: Any, hint: Any, path: str) -> Any:
    """``value`` as the annotated type ``hint``, or a sentence that names the field."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _convert(value, next(a for a in arguments if a is not type(None)), path)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, path)
    if origin is tuple:
        fits = isinstance(value, list | tuple) and len(value) == len(arguments)
        _need(fits, f"{path} is {value!r}", f"give a list of {len(arguments)} numbers")
        return tuple(_convert(entry, kind, path) for entry, kind in zip(value, arguments))
    if origin is dict:
        _need(isinstance(value, Mapping), f"{path} is {value!r}", "write it as 'key: value' lines")
        return {_convert(k, arguments[0], path): _convert(v, arguments[1], path) for k, v in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Any:
        return value
    fits = isinstance(value, hint) and not (isinstance(value, bool) and hint is not bool)
    _need(fits, f"{path} is {value!r}", f"give {_KIND_NAMES.get(hint, hint.__name__)}")
    return value
