"""The push that nobody watches: to one remote or to all of a vault, and telling how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.errors import AnomalyFound, MiddenError
from neotoma_core.files.keys import KeySource
from neotoma_core.push.push import push
from neotoma_core.push.report import PushReport
from neotoma_core.push.request import PushRequest
from neotoma_core.remotes.known import find_remote, read_remotes
from neotoma_core.remotes.opening import open_known_remote
from neotoma_core.report.progress import Progress
from neotoma_core.runs.commands import command
from neotoma_core.schedule.alerting import announce_outcome
from neotoma_core.vault.announcing import Alerting, notify


@dataclass(frozen=True, slots=True)
class PushJob:
    """One database to push to one remote, at one time. ``remote``: by name; None: the only one.

    ``raw_storage``: where Neotoma keeps its raw files, if not next to it.
    """

    target: Path
    vault: Path
    now: datetime
    remote: str | None = None
    raw_storage: Path | None = None


@dataclass(frozen=True, slots=True)
class PushOutcome:
    """How a push ended. ``error``: that of the push, or AnomalyFound where it was held back.

    ``untold``: what could not be sent, as words.
    """

    target: str
    report: PushReport | None
    error: BaseException | None
    untold: tuple[str, ...]

    def require_whole(self) -> None:
        """Raise the error of a push that failed or was held back."""
        if self.error is not None:
            raise self.error


def push_database(job: PushJob, key: KeySource | None, progress: Progress) -> PushReport:
    """Push what a remote of the vault lacks; raises UsageError, and what ``push`` raises."""
    known = find_remote(job.vault, job.remote)
    request = PushRequest(job.target, job.vault, key, job.raw_storage)
    with open_known_remote(job.vault, known) as remote:
        return push(request, remote, job.now, progress)


def conclude_push(job: PushJob, result: object, alerting: Alerting) -> PushOutcome:
    """Return how a push ended, from its report or its last error, once that is reported.

    It is reported here, where it is known that nobody tries again.
    """
    report = result if isinstance(result, PushReport) else None
    error = result if isinstance(result, BaseException) else None
    if report is not None and report.outcome == "held":
        error = AnomalyFound(report.remote, report.alarms, _accepting(job, report.remote))
    untold = []
    if error is not None:
        name = job.remote or (report.remote if report else "the remote")
        title = f"midden: {job.target.name}: not all was pushed to {name}"
        if not notify(alerting, title, _reason(error)):
            untold.append("not every notification could be sent")
    untold += announce_outcome(alerting, job.vault, job.target, job.now, success=error is None)
    return PushOutcome(str(job.target), report, error, tuple(untold))


def remotes_to_push(vault: Path, chosen: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the names of the remotes of a vault, or those that are ``chosen``.

    Raises UsageError where one of them is unknown, VaultDamaged, VaultError.
    """
    if chosen is not None:
        return tuple(find_remote(vault, name).name for name in chosen)
    return tuple(known.name for known in read_remotes(vault))


def announce_unknown(alerting: Alerting, target: Path, error: MiddenError) -> bool:
    """Report that the remotes are unknown; return whether that could be sent."""
    return notify(alerting, f"midden: {target.name}: nothing was pushed", str(error))


def _accepting(job: PushJob, remote: str) -> str:
    then = ("--remote", remote, "--accept-loss")
    return command("push", target=job.target, vault=job.vault, then=then)


def _reason(error: BaseException) -> str:
    if isinstance(error, AnomalyFound):
        return "; ".join(error.alarms)
    return str(error) if isinstance(error, MiddenError) else type(error).__name__
