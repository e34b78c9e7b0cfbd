"""Every library gets the same number of threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


@contextmanager
def pinned_threads(count: int) -> Iterator[None]:
    """While the block runs, torch, SimpleITK and processes that are started use ``count`` threads.

    Denormal numbers are flushed to zero, which favours MONAI: its masks leave many. All is put back afterwards.
    """
    import SimpleITK
    import torch

    itk = SimpleITK.ProcessObject
    before = torch.get_num_threads(), itk.GetGlobalDefaultNumberOfThreads()
    variables = {name: os.environ.get(name) for name in _VARIABLES}
    torch.set_num_threads(count)
    torch.set_flush_denormal(True)
    itk.SetGlobalDefaultNumberOfThreads(count)
    os.environ.update(dict.fromkeys(_VARIABLES, str(count)))
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_flush_denormal(False)
        itk.SetGlobalDefaultNumberOfThreads(before[1])
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
