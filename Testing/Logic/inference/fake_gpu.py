"""A GPU that computes nothing: fake tensors on a device of their own, which refuse to be mixed with the CPU's.

Torch's fake tensors carry shape, dtype and device. Those on "cuda" need a CUDA build for some operations, so a backend
registered from Python takes its place; what is tested, that no tensor stays on the wrong device, is the same.
"""

from __future__ import annotations

import contextlib

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

FAKE_GPU = "fakegpu:0"
_setup_privateuseone_for_python_backend("fakegpu")
# Asked for even where autocast is off; the backend has no autocast kernels, so half precision is tested on the CPU.
torch.fakegpu.get_amp_supported_dtype = lambda: [torch.float16]


@contextlib.contextmanager
def fake_gpu():
    """Within it, tensors are fake; yields a function that places a network (its ``to`` then works too)."""
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:

        def place(network, device):
            for module in network.modules():
                for tensors in (module._parameters, module._buffers):
                    for name, tensor in tensors.items():
                        if tensor is not None:
                            moved = mode.from_tensor(tensor.detach()).to(device)
                            as_parameter = tensors is module._parameters
                            tensors[name] = torch.nn.Parameter(moved, requires_grad=False) if as_parameter else moved
            return network

        def with_fake_to(network):
            network.to = lambda device: place(network, device)
            return network

        yield with_fake_to
