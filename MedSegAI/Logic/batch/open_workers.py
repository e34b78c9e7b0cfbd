"""Workers for a batch, gone again when the block ends."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSegAI.Logic.batch.dask_workers import DaskWorkers
from MedSegAI.Logic.batch.workers import ThisProcess, Workers
from MedSegAI.Logic.errors import DependencyError, InputError, WorkerError
from MedSegAI.Logic.files.private_folder import private_folder
from MedSegAI.Logic.worker.background_task import AskToStop

if TYPE_CHECKING:
    import distributed

MOST_BY_DEFAULT = 4
"""More processes than this are started only where somebody asks for them: each holds a network and a scan."""
SECONDS_TO_CONNECT = 10.0
_DEATHS_FORGIVEN = 1
_PIP = "Install it: pip install cryptography 'dask[distributed]'; or choose --workers 0."
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


def core_count() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def this_process(stopped: AskToStop) -> Iterator[Workers]:
    """No further process: one case after the other, here; ``stopped`` is asked between windows whether to stop."""
    yield ThisProcess(stopped)


@contextmanager
def processes_here(count: int | None = None) -> Iterator[Workers]:
    """Processes on this computer; they talk over the loopback address, encrypted, with keys of this run alone.

    Args:
        count: How many; None takes one a core, at most ``MOST_BY_DEFAULT``. They share the cores evenly.

    Raises:
        DependencyError: if dask.distributed is not installed.
        InputError: if ``count`` is not positive.
        WorkerError: if they could not be started.
    """
    if count is not None and count < 1:
        raise InputError(f"{count} workers cannot work.", advice="Choose 1 or more, or 0 for this process.")
    _need_dask()
    count = count or min(core_count(), MOST_BY_DEFAULT)
    with private_folder() as scratch, _quiet_dask():
        import dask.config

        # A worker that is started anew after a crash takes these settings, too.
        with (
            dask.config.set(_settings(count)),
            _environment_as_before(dask.config.get("distributed.nanny.pre-spawn-environ")),
            _start(count, str(scratch)) as cluster,
            cluster.get_client() as client,
        ):
            yield DaskWorkers(client)


@contextmanager
def workers_of(address: str, *, needed: tuple[Path, ...]) -> Iterator[Workers]:
    """The workers of a scheduler that runs already, here or on other computers.

    Args:
        address: Such as ``tcp://192.168.1.20:8786`` or ``tls://...``; certificates are those of dask's configuration.
        needed: Paths that every worker must see: the batch's folder and the model's.

    Raises:
        DependencyError: if dask.distributed is not installed.
        WorkerError: if the scheduler does not answer, has no worker, or a worker lacks this program or a path.
    """
    _need_dask()
    from distributed import Client

    with _quiet_dask():
        try:
            client = Client(address, timeout=SECONDS_TO_CONNECT)
        except (OSError, TimeoutError, ValueError) as error:
            raise WorkerError(
                f"The scheduler '{address}' does not answer: {error}.", advice="Check its address and that it runs."
            ) from error
        with client:
            _refuse_unable(client, address, needed)
            yield DaskWorkers(client)


def _need_dask() -> None:
    try:
        import cryptography  # noqa: F401
        import distributed  # noqa: F401
    except ImportError as error:
        raise DependencyError(f"Several workers need the package {error.name}.", advice=_PIP) from error


@contextmanager
def _environment_as_before(names: Iterable[str]) -> Iterator[None]:
    """Take back these names, which dask sets in this process's own environment before it starts a worker."""
    names = (*names, "PYTHONHASHSEED", "__DASK_PARENT_PID")
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _settings(count: int) -> dict[str, Any]:
    threads = str(max(1, core_count() // count))
    environment = {name: os.environ.get(name, threads) for name in _THREADS}
    return {
        "distributed.nanny.pre-spawn-environ": environment,
        "distributed.scheduler.allowed-failures": _DEATHS_FORGIVEN,
        # A worker that computes without a pause is not dead; one that died is noticed by its parent.
        "distributed.scheduler.worker-ttl": None,
        # Their web servers cannot be left out, but have nothing to tell.
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
    }


def _start(count: int, scratch: str) -> distributed.LocalCluster:
    from distributed import LocalCluster
    from distributed.security import Security

    try:
        with _ctrl_c_not_for_children():
            return LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                memory_limit=0,
                security=Security.temporary(),
                silence_logs=logging.CRITICAL,
                local_directory=scratch,
            )
    except (OSError, RuntimeError, TimeoutError) as error:
        raise WorkerError(f"No workers could be started: {error}.", advice="Choose --workers 0.") from error


@contextmanager
def _ctrl_c_not_for_children() -> Iterator[None]:
    """Ctrl-C in a terminal reaches the whole group of processes; what becomes of the workers is decided here.

    The thread that starts them, now and after a crash, inherits that this thread holds the signal back for a moment.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Started later, Python's watcher of shared resources would let the signal through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _quiet_dask() -> Iterator[None]:
    """What dask logs of workers that come and go is not for the person at the terminal; records tell what matters."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]
    before = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _refuse_unable(client: distributed.Client, address: str, paths: tuple[Path, ...]) -> None:
    try:
        client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
    except TimeoutError as error:
        raise WorkerError(f"The scheduler '{address}' has no worker.", advice="Start workers first.") from error
    try:
        missing = client.run(missing_paths, [str(path) for path in paths])
    except Exception as error:
        raise WorkerError(
            f"The workers of '{address}' cannot run this program ({type(error).__name__}: {error}).",
            advice="Install the same version of MedSegAI, with all it needs, on every one of them.",
        ) from error
    for worker, lacks in missing.items():
        if lacks:
            raise WorkerError(
                f"The worker '{worker}' does not see '{lacks[0]}'.",
                advice="Every worker needs the scans, the model and the batch's folder under the same paths.",
            )


def missing_paths(paths: list[str]) -> list[str]:
    """Those of the paths that do not exist on this computer; asked of every worker."""
    return [path for path in paths if not Path(path).exists()]
