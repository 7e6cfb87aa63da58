"""Workers of a Dask cluster that do the tasks of a large job."""

from neotoma_core.errors.root import MiddenError


class ClusterError(MiddenError):
    """The workers cannot do the job as it is; what was there before is unchanged."""

    exit_code = 40

    def __init__(self, address: str, wrong: str, advice: str) -> None:
        self.address = address
        self.wrong = wrong
        super().__init__(f"scheduler {address}: {wrong}; nothing was changed; {advice}")


class SchedulerUnreachable(ClusterError):
    """The scheduler does not answer, has no worker, or the connection to it broke."""

    exit_code = 41
    retryable = True

    def __init__(self, address: str, wrong: str) -> None:
        super().__init__(address, wrong, "start it, or check the address, and run again")


class WorkersDiffer(ClusterError):
    """Workers run other versions than this process, so that their results may differ."""

    exit_code = 42


class WorkerLost(ClusterError):
    """Workers died again and again over one task, as they do where they have too little memory."""

    exit_code = 43
