"""Where the paths written for the CPU may be taken."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor


def runs_plainly_on_cpu(*tensors: Tensor) -> bool:
    """Whether float32 arithmetic happens here and now on the CPU: not traced, exported, autocast or only pretended."""
    if torch.jit.is_tracing() or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu"):
        return False
    return all(
        tensor.device.type == "cpu" and tensor.dtype == torch.float32 and not isinstance(tensor, FakeTensor)
        for tensor in tensors
    )


def is_exported() -> bool:
    """Whether the network is recorded for another engine now: plain operators of fixed shapes are wanted."""
    return torch.jit.is_tracing() or torch.compiler.is_exporting()


def needs_gradient(*tensors: Tensor | None) -> bool:
    """Whether what is computed from the tensors now will be differentiated."""
    return torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)


def has_hooks_inside(module: nn.Module, *, apart_from: nn.Module | None = None) -> bool:
    """Whether somebody, saliency for instance, watches the module's parts: they would see nothing of a fused one."""
    skipped = {module} | set(apart_from.modules() if apart_from is not None else ())
    parts = (part for part in module.modules() if part not in skipped)
    return any(part._forward_hooks or part._forward_pre_hooks for part in parts)


def full_precision(tensor: Tensor) -> AbstractContextManager:
    """Autocast switched off on the tensor's device, for what needs the precision of its inputs."""
    # Tensors without numbers know no autocast.
    return nullcontext() if tensor.device.type == "meta" else torch.autocast(tensor.device.type, enabled=False)
