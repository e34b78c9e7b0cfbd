"""The network with the heads that unlabelled scans are learned with, and the weights that are kept afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.models.weights import build_network
from MedSegAI.Logic.networks.convolution_blocks import DoublingConvolution, OutputBlock
from MedSegAI.Logic.training.pretrain.config import PretrainingConfig, ReconstructThrough
from MedSegAI.Logic.training.pretrain.turns import TURNS

_HALVINGS = 5
_SLOPE = 0.01
_EMBEDDING = 128
_ENCODER = "swinViT."
_OUTPUT = "out."
# One value a voxel comes out, and parts that work on classes are left out.
_OF_VOXELS = {"out_channels": 1, "feature_pyramid": None, "refinement": None}


@dataclass(frozen=True, eq=False)
class Answers:
    """What the network says of a batch of views.

    Args:
        reconstruction: (views, 1, k, j, i), or None where it is not asked for.
        turns: Logits (views, 4) of the quarter turns.
        embedding: (views, 128), to be told from those of other samples.
    """

    reconstruction: Tensor | None
    turns: Tensor
    embedding: Tensor


class ReconstructionHead(nn.Module):
    """Five doublings from the deepest features to voxels, so that only the encoder knows anything of the image."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        widths = [max(channels >> (number + 1), width) for number in range(_HALVINGS)]
        self.doublings = nn.ModuleList(
            DoublingConvolution(before, after) for before, after in zip([channels, *widths], widths)
        )
        self.norms = nn.ModuleList(nn.InstanceNorm3d(width) for width in widths)
        self.out = OutputBlock(widths[-1], 1)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, k, j, i) to (batch, 1, 32 k, 32 j, 32 i)."""
        for doubling, norm in zip(self.doublings, self.norms):
            features = F.leaky_relu(norm(doubling(features)), _SLOPE)
        return self.out(features)


class PretrainingNetwork(nn.Module):
    """A Swin-UNETR (``backbone``) with heads for reconstruction, rotation and contrast.

    Args:
        config: Of the run; the backbone is the configured network with one output channel, which reconstructs where
            that goes through the decoder, and without parts that work on classes.

    Raises:
        InputError: for a network without a Swin encoder, or one that takes several inputs.
        ModelError: for one that does not exist, or wrong arguments.
    """

    def __init__(self, config: PretrainingConfig) -> None:
        super().__init__()
        self.through = config.reconstruct_through
        self.reconstructs = config.tasks.reconstruction > 0
        arguments = config.network.arguments
        self.backbone = build_network(
            config.network.name, arguments | {key: value for key, value in _OF_VOXELS.items() if key in arguments}
        )
        if not isinstance(getattr(self.backbone, "swinViT", None), nn.Module):
            raise InputError(
                f"The network '{config.network.name}' has no Swin encoder to pretrain.", advice="Choose SwinUNETR."
            )
        embedding = self.backbone.swinViT.patch_embed.proj
        if embedding.in_channels != 1:
            raise InputError(
                f"The network takes {embedding.in_channels} inputs, and scans without labels are looked at one by one.",
                advice="Set in_channels to 1 in network.arguments.",
            )
        width = embedding.out_channels
        channels = 16 * width
        self.turns = nn.Linear(channels, TURNS)
        self.embedding = nn.Sequential(nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, _EMBEDDING))
        if self.reconstructs and self.through == ReconstructThrough.ENCODER:
            self.voxels = ReconstructionHead(channels, width)

    def forward(self, shown: Tensor) -> Answers:
        """Answers about views (views, 1, k, j, i) with parts hidden."""
        reconstruction = None
        if self.reconstructs and self.through == ReconstructThrough.DECODER:
            reconstruction, deepest = self._through_decoder(shown)
        else:
            deepest = self.backbone.swinViT(shown, normalize=self.backbone.normalize)[-1]
            if self.reconstructs:
                reconstruction = self.voxels(deepest)
        pooled = deepest.mean(dim=(2, 3, 4))
        return Answers(reconstruction, self.turns(pooled), self.embedding(pooled))

    def pretrained_state(self) -> dict[str, Tensor]:
        """The weights worth keeping, by the names that the network gives them.

        The encoder's; where reconstruction went through the decoder everything but the output layer, which means
        something else in a segmentation.
        """
        whole = self.reconstructs and self.through == ReconstructThrough.DECODER
        state = self.backbone.state_dict()
        return {
            key: value
            for key, value in state.items()
            if (whole and not key.startswith(_OUTPUT)) or key.startswith(_ENCODER)
        }

    def _through_decoder(self, shown: Tensor) -> tuple[Tensor, Tensor]:
        """The network's output, and the deepest features of its encoder on the way."""
        kept: list[Tensor] = []
        watch = self.backbone.swinViT.register_forward_hook(lambda module, given, out: kept.append(out[-1]))
        try:
            return self.backbone(shown), kept[-1]
        finally:
            watch.remove()
