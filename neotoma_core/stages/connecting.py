"""Connecting to a Dask scheduler whose workers can do our tasks."""

import asyncio
import platform
import socket
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from neotoma_core.errors import SchedulerUnreachable, UsageError, WorkersDiffer

if TYPE_CHECKING:
    from distributed import Client

PATIENCE_SECONDS: Final = 10.0
"""How long a scheduler may take to answer, and to have its first worker."""

_SAME: Final = ("midden", "polars", "pyarrow", "duckdb", "deltalake", "dask", "distributed")
_INSTALL: Final = (
    "install the same versions on all machines, start the workers again, and run again"
)


def connect_client(address: str, patience: float = PATIENCE_SECONDS) -> "Client":
    """Return a client of a scheduler that has workers of the versions that run here.

    Raises UsageError where Dask is not installed or the address is invalid, SchedulerUnreachable,
    WorkersDiffer.
    """
    try:
        from distributed import Client  # noqa: PLC0415 - heavy, and optional
    except ImportError:
        raise UsageError(
            "--task-runner dask: Dask is not installed; install it with `pip install "
            "'midden[dask]'`"
        ) from None
    _require_answer(address, patience)
    try:
        client = Client(address, timeout=patience, set_as_default=False)  # type: ignore[no-untyped-call]
    except OSError:  # a timeout is one, too
        raise _tell_silence(address, patience) from None
    try:
        _require_workers(client, address, patience)
    except BaseException:
        client.close()  # type: ignore[no-untyped-call]
        raise
    return client


def _require_answer(address: str, patience: float) -> None:
    """Raise SchedulerUnreachable where no scheduler answers in time, UsageError for no address.

    Dask's own client waits for ever for something that accepts a connection and says nothing.
    """
    from distributed.comm.addressing import parse_host_port  # noqa: PLC0415 - heavy, and optional
    from distributed.comm.registry import get_backend  # noqa: PLC0415
    from distributed.core import rpc  # noqa: PLC0415

    async def ask() -> None:
        async with rpc(address, timeout=patience) as scheduler:  # type: ignore[no-untyped-call]
            await scheduler.identity(n_workers=0)

    scheme, _, place = address.rpartition("://")
    try:
        get_backend(scheme or "tcp")
        host, port = parse_host_port(place)
    except ValueError:
        raise UsageError("--scheduler: not an address; write it like tcp://HOST:PORT") from None
    try:
        socket.create_connection((host, port), patience).close()  # soon, where nothing listens
        asyncio.run(asyncio.wait_for(ask(), patience))
    except OSError:
        raise _tell_silence(address, patience) from None


def _tell_silence(address: str, patience: float) -> SchedulerUnreachable:
    return SchedulerUnreachable(address, f"it did not answer within {patience:g} seconds")


def _require_workers(client: "Client", address: str, patience: float) -> None:
    """Raise SchedulerUnreachable where there is no worker, WorkersDiffer for other versions."""
    end = time.monotonic() + patience
    while not client.scheduler_info(n_workers=-1)["workers"]:
        if time.monotonic() > end:
            raise SchedulerUnreachable(address, "it has no worker")
        time.sleep(0.1)
    try:
        there: dict[str, Any] = client.run(versions_here, on_error="return")
    except OSError:
        raise SchedulerUnreachable(address, "it stopped answering") from None
    differing = find_differing(versions_here(), there)
    if differing:
        raise WorkersDiffer(address, differing, _INSTALL)


def versions_here() -> dict[str, str]:
    """Return what has to be the same on all machines."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, **{name: _version(name) for name in _SAME}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def find_differing(here: Mapping[str, str], there: Mapping[str, object]) -> str:
    """Return in words what a worker has otherwise than this process; empty where nothing."""
    for worker, versions in sorted(there.items()):
        if not isinstance(versions, dict):
            return f"its worker {worker} cannot load midden"
        for name, ours in here.items():
            theirs = versions.get(name, "none")
            if theirs != ours:
                return f"its worker {worker} has {name} {theirs}, and here it is {ours}"
    return ""
