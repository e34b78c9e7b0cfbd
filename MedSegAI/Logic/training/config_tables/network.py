"""The table ``network``: what is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class NetworkConfig:
    """The network and its constructor's keyword arguments, as the model card will record them."""

    name: str = "SwinUNETR"
    arguments: dict[str, Any] = field(default_factory=dict)
