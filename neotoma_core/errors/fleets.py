"""What works on many databases at once, and cannot be used or was lost."""

from collections.abc import Sequence
from typing import Final

from neotoma_core.errors.root import MiddenError

_NAMED: Final = 5


class FleetError(MiddenError):
    """Something about the work on many databases; itself: some of them need somebody.

    ``names``: theirs, those that failed worst first.
    """

    exit_code = 40

    def __init__(self, names: Sequence[str], total: int) -> None:
        self.names = tuple(names)
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        super().__init__(
            f"{len(names):,} of {total:,} databases need somebody: {', '.join(names[:_NAMED])}"
            f"{more}; the table of the run says why"
        )


class SchedulerUnreachable(FleetError):
    """The scheduler does not answer, or has no workers."""

    exit_code = 41
    retryable = True

    def __init__(self, address: str, wrong: str) -> None:
        self.address = address
        MiddenError.__init__(
            self,
            f"scheduler {address}: {wrong}; nothing was done; start it and its workers, or leave "
            "--task-runner dask out",
        )


class WorkersDiffer(FleetError):
    """Workers of the scheduler run another version than this process."""

    exit_code = 42

    def __init__(self, address: str, wrong: str) -> None:
        self.address = address
        MiddenError.__init__(
            self,
            f"scheduler {address}: {wrong}; nothing was done; install the same versions on all "
            "machines and start the workers again",
        )


class WorkerLost(FleetError):
    """The process that worked on a database ended before it was done."""

    exit_code = 43

    def __init__(self, name: str, how: str) -> None:
        self.name = name
        MiddenError.__init__(
            self,
            f"{name}: the process that worked on it {how}; what it had begun is cleaned up by the "
            "next run; run again, and see whether memory ran out",
        )
