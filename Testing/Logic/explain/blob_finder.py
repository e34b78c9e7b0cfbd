"""A small network that learns within a second to mark bright balls in noise, so that there is something to explain."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class BlobFinder(nn.Module):
    """A small network of two resolutions that learns to mark bright balls in noise."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.LeakyReLU(0.01))
        self.coarse = nn.Sequential(nn.Conv3d(4, 12, 3, stride=2, padding=1), nn.LeakyReLU(0.01))
        self.deep = nn.Sequential(nn.Conv3d(12, 12, 3, padding=1), nn.LeakyReLU(0.01))
        self.up = nn.ConvTranspose3d(12, 4, 2, stride=2)
        self.out = nn.Conv3d(8, 2, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        fine = self.fine(image)
        return self.out(torch.cat([self.up(self.deep(self.coarse(fine))), fine], dim=1))


def ball(shape: tuple[int, ...], centre: tuple[int, ...], radius: float) -> np.ndarray:
    grid = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    return sum((axis - c) ** 2 for axis, c in zip(grid, centre)) <= radius**2


def image_with_ball(shape: tuple[int, ...], centre: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """An image (1, k, j, i) of noise with one bright ball, and the ball."""
    mask = ball(shape, centre, 3.5)
    noise = np.random.default_rng(seed).normal(scale=0.3, size=shape).astype(np.float32)
    return (noise + 2 * mask)[None].astype(np.float32), mask


def trained_blob_finder() -> BlobFinder:
    """The network, trained here and now until it finds the ball."""
    torch.manual_seed(0)
    network = BlobFinder()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-2)
    random = np.random.default_rng(1)
    for step in range(60):
        image, mask = image_with_ball((16, 16, 16), tuple(random.integers(4, 12, 3)), seed=step)
        logits = network(torch.from_numpy(image)[None])
        target = torch.from_numpy(mask)[None].long()
        loss = nn.functional.cross_entropy(logits, target, weight=torch.tensor([1.0, 8.0]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.2
    return network.eval()
