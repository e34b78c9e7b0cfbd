"""A multi-modal Swin-UNETR that goes on working when one of its scans is missing."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.networks.chosen import chosen
from MedSegAI.Logic.networks.hybrid_swin_unetr import HybridSwinUNETR
from MedSegAI.Logic.networks.modality_fusion import (
    FusionKind,
    ModalityFusion,
    StemKind,
    modalities_present,
    without_missing,
)


class FusionSwinUNETR(HybridSwinUNETR):
    """:class:`HybridSwinUNETR` behind a :class:`ModalityFusion` of its input channels.

    State-dict keys are those of :class:`HybridSwinUNETR` for ``stem_width`` channels, and ``fusion.*``.

    Args:
        in_channels: Modalities, in the card's order of inputs.
        out_channels: Classes, background included.
        fusion: A :class:`FusionKind`, by its value.
        stems: A :class:`StemKind`, by its value.
        stem_width: Channels of the fused map.
        modality_dropout: How often each modality is left out in training.
        hybrid: Further arguments of :class:`HybridSwinUNETR`.

    Raises ModelError when an argument is out of range.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        fusion: FusionKind | str = FusionKind.ATTENTION,
        stems: StemKind | str = StemKind.OWN,
        stem_width: int = 4,
        modality_dropout: float = 0.2,
        **hybrid: Any,
    ) -> None:
        super().__init__(stem_width, out_channels, image_channels=in_channels, **hybrid)
        self.fusion = ModalityFusion(
            in_channels,
            stem_width,
            fusion=chosen(FusionKind, fusion, "fusion"),
            stems=chosen(StemKind, stems, "stems"),
            dropout=modality_dropout,
        )

    def forward(self, volume: Tensor, present: Tensor | None = None) -> Tensor:
        """Logits (batch, out_channels, k, j, i) for a volume (batch, in_channels, k, j, i).

        Args:
            volume: Scans, normalised.
            present: Which of them are there, (batch, in_channels) bool; None: those that are not all zeros.

        Raises:
            InputError: as :meth:`SwinUNETR.forward`, or when the channels are not as many as the modalities.
        """
        self._check_shape(tuple(map(int, volume.shape[2:])))
        if volume.shape[1] != self.fusion.modalities:
            raise InputError(
                f"The network cannot take {volume.shape[1]} channels.",
                advice=f"Give {self.fusion.modalities}, with zeros for a scan that is missing.",
            )
        present = self.fusion.keep_some(modalities_present(volume) if present is None else present)
        volume = without_missing(volume, present)
        return self._refined(self._logits(self.fusion(volume, present)), volume)
