"""How much memory a run may use."""

from __future__ import annotations

from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup")


def free_memory(*, control_group: Path = CONTROL_GROUP) -> int:
    """Bytes of main memory that can be had without swapping: the system's, or less where a container is limited.

    Args:
        control_group: Folder with the limits of a Linux control group (version 2); ignored where it has none.
    """
    import psutil

    available = int(psutil.virtual_memory().available)
    try:
        limit = (control_group / "memory.max").read_text().strip()
        used = int((control_group / "memory.current").read_text())
        counters = dict(line.split() for line in (control_group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return available
    if limit == "max":
        return available
    # The page cache counts as used but is given back on demand.
    return min(available, max(int(limit) - used + int(counters.get("inactive_file", 0)), 0))


def free_gpu_memory(device: str) -> int:
    """Bytes of a GPU's memory that are free or held by torch's cache."""
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
