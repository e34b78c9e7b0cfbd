"""The gradient of a loss over the whole batch, though no process ever holds the whole batch.

The Dice part of the loss is no mean over samples: it is taken from sums over all voxels of the batch. The mean of the
parts' losses, or of their gradients, would be another loss, and another one for each number of processes. But the loss
is a function of a few sums, and the sums of the parts add up. So the sums are added over parts and processes, the loss
is taken from the total, and its slope with respect to the sums (the same few numbers for everybody) is sent back
through each part. By the chain rule that is the gradient of the loss of the whole batch, exactly.

With one part a process this costs nothing but the exchange of a few numbers. With more, the slope is not known before
all parts were seen; so all but the last go through the network twice, the first time without a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn


def leave_gradients(
    network: nn.Module,
    parts: Sequence[Callable[[], Tensor]],
    *,
    loss_of_sums: Callable[[Tensor], Tensor],
    total_over_processes: Callable[[Tensor], Tensor] = lambda sums: sums,
    factor: float | Tensor = 1.0,
) -> Tensor:
    """Add the gradient of one loss over all parts of all processes to the parameters' ``grad``.

    Args:
        network: What the parts are computed with; if it is a ``DistributedDataParallel``, gradients are exchanged once,
            with the last part.
        parts: Each computes the sums (n,) of one part of the batch with the network, with gradient where torch
            records one. Called twice, it must do the same; so it has to set the seed of what is random in the network.
        loss_of_sums: The loss, a scalar, of the sums of the whole batch.
        total_over_processes: Adds sums without gradient over all processes.
        factor: Multiplies the gradients: the number of processes where their mean is taken instead of their sum, times
            the scale of a half-precision run.

    Returns:
        The loss of the whole batch, the same in every process; a scalar without gradient, before the factor.
    """
    *earlier, last = parts
    with torch.no_grad():
        seen = [part() for part in earlier]
    with _apart(network) if earlier else nullcontext():
        sums = last()
        loss, slope = _loss_and_slope(total_over_processes(sum(seen, sums.detach())), loss_of_sums)
        sums.backward(slope * factor)
    for number, part in enumerate(earlier, start=1):
        with _apart(network) if number < len(earlier) else nullcontext():
            part().backward(slope * factor)
    return loss


def _loss_and_slope(sums: Tensor, loss_of_sums: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        variable = sums.clone().requires_grad_()
        loss = loss_of_sums(variable)
        (slope,) = torch.autograd.grad(loss, variable)
    return loss.detach(), slope


def _apart(network: nn.Module) -> AbstractContextManager:
    """Keep gradients in this process for now."""
    return network.no_sync() if isinstance(network, nn.parallel.DistributedDataParallel) else nullcontext()
