"""Swin-UNETR with three optional parts: attention at the skip connections, a feature pyramid, and a refining CRF.

Every part is switched on by itself, starts as the identity, and has state-dict keys of its own beside those of
:class:`SwinUNETR`; so weights of MONAI's or our Swin-UNETR can be loaded, give what they gave, and be trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.networks.chosen import chosen_or_none
from MedSegAI.Logic.networks.conditional_random_field import ConditionalRandomField
from MedSegAI.Logic.networks.feature_pyramid import FeaturePyramid, PyramidKind
from MedSegAI.Logic.networks.feature_selection import DynamicFeatureSelection, FeatureSelection
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR

_ADDED = ("selections.", "pyramid.", "refinement.", "fusion.")


class Refinement(str, Enum):
    """What is done to the logits at the end."""

    CONDITIONAL_RANDOM_FIELD = "conditional-random-field"
    """Mean-field iterations of a trained conditional random field on the image."""


class HybridSwinUNETR(SwinUNETR):
    """:class:`SwinUNETR` with parts added by name; without any it is that network.

    Args:
        in_channels: Channels of the image.
        out_channels: Classes, background included.
        feature_selection: A :class:`FeatureSelection` at all five skip connections, by its value; None: none.
        feature_pyramid: A :class:`PyramidKind` over the four coarser decoder maps, by its value; None: none.
        refinement: A :class:`Refinement`, by its value; None: none.
        refinement_iterations, refinement_radius, refinement_spacing_mm, refinement_contrast: As the arguments of
            :class:`ConditionalRandomField` without the prefix.
        image_channels: Channels that the refinement sees; None: ``in_channels``.
        swin: Further arguments of :class:`SwinUNETR`.

    Raises ModelError when an argument is out of range.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        feature_selection: FeatureSelection | str | None = None,
        feature_pyramid: PyramidKind | str | None = None,
        refinement: Refinement | str | None = None,
        refinement_iterations: int = 2,
        refinement_radius: Sequence[int] | int = 2,
        refinement_spacing_mm: Sequence[float] = (1.0, 1.0, 1.0),
        refinement_contrast: float = 0.5,
        image_channels: int | None = None,
        feature_size: int = 24,
        **swin: Any,
    ) -> None:
        super().__init__(in_channels, out_channels, feature_size=feature_size, **swin)
        selection = chosen_or_none(FeatureSelection, feature_selection, "feature_selection")
        pyramid = chosen_or_none(PyramidKind, feature_pyramid, "feature_pyramid")
        refining = chosen_or_none(Refinement, refinement, "refinement")
        widths = [feature_size * times for times in (8, 4, 2, 1, 1)]
        self.selections = self.pyramid = self.refinement = None
        if selection is not None:
            contexts = [16 * feature_size, *widths[:-1]]
            self.selections = nn.ModuleList(
                DynamicFeatureSelection(width, context, selection=selection) for width, context in zip(widths, contexts)
            )
        if pyramid is not None:
            self.pyramid = FeaturePyramid(widths[:-1], out_channels)
        if refining is not None:
            self.refinement = ConditionalRandomField(
                out_channels,
                in_channels if image_channels is None else image_channels,
                iterations=refinement_iterations,
                radius=refinement_radius,
                spacing_mm=refinement_spacing_mm,
                contrast=refinement_contrast,
            )

    def forward(self, volume: Tensor) -> Tensor:
        """As :meth:`SwinUNETR.forward`."""
        self._check_shape(tuple(map(int, volume.shape[2:])))
        return self._refined(self._logits(volume), volume)

    def _logits(self, volume: Tensor) -> Tensor:
        features = self.swinViT(volume, normalize=self.normalize)
        context = self.encoder10(features[4])
        skips = (features[3], features[2], features[1], features[0], volume)
        encoders = (None, self.encoder4, self.encoder3, self.encoder2, self.encoder1)
        decoders = (self.decoder5, self.decoder4, self.decoder3, self.decoder2, self.decoder1)
        maps = []
        for level, (skip, encoder, decoder) in enumerate(zip(skips, encoders, decoders)):
            if encoder is not None:
                skip = encoder(skip)
            if self.selections is not None:
                skip = self.selections[level](skip, context)
            context = decoder(context, skip)
            if self.pyramid is not None and level < len(self.pyramid.heads):
                maps.append(context)
        logits = self.out(context)
        return logits if self.pyramid is None else logits + self.pyramid(maps)

    def _refined(self, logits: Tensor, image: Tensor) -> Tensor:
        return logits if self.refinement is None else self.refinement(logits, image)

    def load_backbone(self, state: Mapping[str, Tensor]) -> None:
        """Load a Swin-UNETR's state dictionary, MONAI's or ours; the parts added here stay as they are.

        Raises:
            ModelError: naming the first keys that do not fit.
        """
        own = self.state_dict()
        shared = {key for key in own if not key.startswith(_ADDED)}
        wrong = sorted(shared ^ set(state)) or sorted(key for key in shared if own[key].shape != state[key].shape)
        if wrong:
            raise ModelError(
                f"The weights do not fit the Swin-UNETR inside {type(self).__name__}: {', '.join(wrong[:3])}"
                f"{f' and {len(wrong) - 3} more' if len(wrong) > 3 else ''}.",
                advice="Give it the feature size, depths, heads, windows and channels of the network they are from.",
            )
        with torch.no_grad():
            self.load_state_dict({**own, **state})
