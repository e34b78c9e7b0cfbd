"""Swin-UNETR for 3D segmentation, exact and fast: any MONAI ``SwinUNETR`` checkpoint loads unchanged.

Hatamizadeh et al. 2022, *Swin UNETR: Swin Transformers for Semantic Segmentation of Brain Tumors in MRI Images*.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.networks.convolution_blocks import DecoderBlock, EncoderBlock, OutputBlock
from MedSegAI.Logic.networks.finest_level import FinestLevel, SpareMemory
from MedSegAI.Logic.networks.swin_transformer import MERGE_ORDERS, SwinTransformer

STEP = 32
"""Sides of the input are multiples of this: it is halved once by the patches and once by each of four stages."""


class SwinUNETR(nn.Module):
    """A Swin transformer encoder and a convolutional decoder; input (batch, in_channels, k, j, i) float.

    Arguments and state-dict keys are those of ``monai.networks.nets.SwinUNETR`` (1.6) in three dimensions.
    ``norm_name`` is ``"instance"`` or ``("instance", {"affine": True})``.

    Raises ModelError when an argument is out of range.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        patch_size: int = 2,
        depths: Sequence[int] = (2, 2, 2, 2),
        num_heads: Sequence[int] = (3, 6, 12, 24),
        window_size: Sequence[int] | int = 7,
        qkv_bias: bool = True,
        mlp_ratio: float = 4.0,
        feature_size: int = 24,
        norm_name: str | tuple[str, dict] = "instance",
        drop_rate: float = 0.0,
        attn_drop_rate: float = 0.0,
        dropout_path_rate: float = 0.0,
        normalize: bool = True,
        patch_norm: bool = False,
        use_checkpoint: bool = False,
        downsample: str = "merging",
        use_v2: bool = False,
    ) -> None:
        super().__init__()
        rates = {"drop_rate": drop_rate, "attn_drop_rate": attn_drop_rate, "dropout_path_rate": dropout_path_rate}
        _check_arguments(patch_size, feature_size, depths, num_heads, downsample, rates)
        affine = _is_affine(norm_name)
        width = feature_size
        self.normalize = normalize
        self.swinViT = SwinTransformer(
            in_channels,
            width,
            window_size=(window_size,) * 3 if isinstance(window_size, int) else tuple(window_size),
            patch_size=(patch_size,) * 3,
            depths=depths,
            num_heads=num_heads,
            mlp_ratio=mlp_ratio,
            qkv_bias=qkv_bias,
            dropout=drop_rate,
            attention_dropout=attn_drop_rate,
            path_dropout=dropout_path_rate,
            patch_norm=patch_norm,
            use_checkpoint=use_checkpoint,
            merging=downsample,
            use_v2=use_v2,
        )
        self.encoder1 = EncoderBlock(in_channels, width, affine=affine)
        self.encoder2 = EncoderBlock(width, width, affine=affine)
        self.encoder3 = EncoderBlock(2 * width, 2 * width, affine=affine)
        self.encoder4 = EncoderBlock(4 * width, 4 * width, affine=affine)
        self.encoder10 = EncoderBlock(16 * width, 16 * width, affine=affine)
        self.decoder5 = DecoderBlock(16 * width, 8 * width, affine=affine)
        self.decoder4 = DecoderBlock(8 * width, 4 * width, affine=affine)
        self.decoder3 = DecoderBlock(4 * width, 2 * width, affine=affine)
        self.decoder2 = DecoderBlock(2 * width, width, affine=affine)
        self.decoder1 = DecoderBlock(width, width, affine=affine)
        self.out = OutputBlock(width, out_channels)
        self._memory = SpareMemory()

    def forward(self, volume: Tensor) -> Tensor:
        """Logits (batch, out_channels, k, j, i) for a volume (batch, in_channels, k, j, i).

        Raises InputError when a side is not a multiple of 32 or the bottleneck is a single voxel.
        """
        self._check_shape(tuple(map(int, volume.shape[2:])))
        features = self.swinViT(volume, normalize=self.normalize)
        skip = self.encoder4(features[2])
        out = self.decoder5(self.encoder10(features[4]), features[3])
        out = self.decoder4(out, skip)
        out = self.decoder3(out, self.encoder3(features[1]))
        out = self.decoder2(out, self.encoder2(features[0]))
        finest = FinestLevel(self.encoder1, self.decoder1, self.out, self._memory)
        if finest.takes(volume, out):
            return finest.logits(volume, out)
        return self.out(self.decoder1(out, self.encoder1(volume)))

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if any(length % STEP for length in shape):
            raise InputError(
                f"The network cannot take a patch of {' x '.join(map(str, shape))} voxels.",
                advice=f"Each side must be a multiple of {STEP}.",
            )
        if all(length == STEP for length in shape):
            raise InputError(
                f"A patch of {' x '.join(map(str, shape))} voxels leaves a single voxel at the network's bottleneck.",
                advice=f"Make at least one side {2 * STEP} or longer.",
            )


def _check_arguments(
    patch_size: int,
    feature_size: int,
    depths: Sequence[int],
    num_heads: Sequence[int],
    downsample: str,
    rates: dict[str, float],
) -> None:
    problems = [f"{name} is {rate}, not between 0 and 1" for name, rate in rates.items() if not 0 <= rate <= 1]
    if patch_size != 2:
        problems.append(f"patch_size is {patch_size}, but the decoder doubles, so only 2 fits it")
    if feature_size % 12:
        problems.append(f"feature_size is {feature_size}, not a multiple of 12")
    if len(depths) != 4 or len(num_heads) != 4:
        problems.append("depths and num_heads must name four stages")
    if downsample not in MERGE_ORDERS:
        problems.append(f"downsample is {downsample!r}, not one of {', '.join(MERGE_ORDERS)}")
    if problems:
        raise ModelError(f"Swin-UNETR cannot be built: {'; '.join(problems)}.", advice="Correct the model's card.")


def _is_affine(norm_name: str | tuple[str, dict]) -> bool:
    name, options = (norm_name, {}) if isinstance(norm_name, str) else norm_name
    if name.lower() != "instance" or set(options) - {"affine"}:
        raise ModelError(
            f"Swin-UNETR cannot be built with the normalisation {norm_name!r}.",
            advice='Use "instance" or ("instance", {"affine": True}).',
        )
    return bool(options.get("affine", False))
