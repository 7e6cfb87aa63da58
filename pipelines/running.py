"""Flow runs that end with their process: what a killed worker leaves "Running" is called crashed.

While a flow runs, its process holds a lock on a file named after the run. The next flow that begins
on this machine finds the files whose lock is free: their process ended before it could say so.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.context import FlowRunContext
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Crashed

from neotoma_core.files.locking import is_held
from neotoma_core.files.private import make_folders
from neotoma_core.settings.environment import lock_folder

_FOLDER: Final = "runs"
_LOCK: Final = ".run"
_SAID: Final = "The process that ran it ended before it was done; the next run makes up for it."


def due_since() -> datetime | None:
    """Return when the flow run was due: a backup that was taken since makes up for it."""
    return flow_run.get_scheduled_start_time() if FlowRunContext.get() else None


@contextmanager
def run_in_sight() -> Iterator[None]:
    """Hold the lock of this flow run while the block runs; first settle runs whose process ended.

    Where the locks or the server cannot be used, the flow runs all the same.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        yield
        return
    folder = lock_folder(_FOLDER)
    try:
        settle_abandoned(folder)
        descriptor = _hold(folder, context.flow_run.id)
    except Exception as error:  # noqa: BLE001 - what it is about is another run
        get_run_logger().warning("earlier runs were not looked at: %s", type(error).__name__)
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / f"{context.flow_run.id}{_LOCK}").unlink()
        os.close(descriptor)


def _hold(folder: Path, run: UUID) -> int:
    """Hold the lock of a run. The file has its name only once it is locked."""
    make_folders(folder)
    new = folder / f".{run}.new"
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        new.rename(folder / f"{run}{_LOCK}")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def settle_abandoned(folder: Path) -> tuple[UUID, ...]:
    """Call the runs crashed whose lock nobody holds; return them. Each is an event, too."""
    found = []
    for file in sorted(folder.glob(f"*{_LOCK}")):
        with suppress(FileNotFoundError):  # it ended in the meantime
            if not is_held(file) and _settle(UUID(file.name.removesuffix(_LOCK))):
                found.append(UUID(file.name.removesuffix(_LOCK)))
            if not is_held(file):
                file.unlink()
    return tuple(found)


def _settle(run: UUID) -> bool:
    """Call a run crashed unless it has ended; return whether that was to be done."""
    with get_client(sync_client=True) as client:
        known = client.read_flow_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run])))
        if not known or known[0].state is None or known[0].state.is_final():
            return False
        client.set_flow_run_state(run, Crashed(message=_SAID), force=True)
    logging.getLogger("prefect.midden").warning("flow run %s was abandoned", known[0].name)
    resource = {"prefect.resource.id": f"midden.run.{run}"}
    emit_event("midden.run-abandoned", resource, payload={"reasons": [_SAID]})
    return True
