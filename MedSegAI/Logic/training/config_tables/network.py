"""The table ``network``: what is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class NetworkConfig:
    """The network, as the model card will record it.

    Args:
        name: A class of ``NETWORK_MODULES`` in ``Logic/models/weights.py``. "SwinUNETR", which MONAI's weights fit.
        arguments: Its constructor's keyword arguments, such as in_channels, out_channels (labels plus background) and
            feature_size. Empty: the network's own defaults, which know nothing of your labels.
    """

    name: str = "SwinUNETR"
    arguments: dict[str, Any] = field(default_factory=dict)
