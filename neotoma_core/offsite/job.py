"""The verification that nobody watches: of one remote, and telling how it went."""

from dataclasses import dataclass
from datetime import datetime

from neotoma_core.errors import MiddenError, RemoteDamaged, VerificationFailed
from neotoma_core.files.keys import KeySource
from neotoma_core.offsite.verify import VerifyRemoteRequest, verify_remote
from neotoma_core.offsite.verify_report import WRONG, RemoteVerification
from neotoma_core.remotes.known import find_remote
from neotoma_core.remotes.opening import open_known_remote, read_identities
from neotoma_core.report.progress import Progress
from neotoma_core.vault.announcing import Alerting, notify


@dataclass(frozen=True, slots=True)
class VerifyJob:
    """One remote to verify, at one time. ``remote``: by name; None: the only one."""

    request: VerifyRemoteRequest
    now: datetime
    remote: str | None = None


@dataclass(frozen=True, slots=True)
class VerifyOutcome:
    """How a verification ended. ``error``: its own, or what says that it failed.

    ``told``: whether what failed could be reported.
    """

    report: RemoteVerification | None
    error: BaseException | None
    told: bool = True

    def require_whole(self) -> None:
        """Raise the error of a verification that failed."""
        if self.error is not None:
            raise self.error


def verify_known(job: VerifyJob, key: KeySource | None, progress: Progress) -> RemoteVerification:
    """Verify a remote of a vault; raises UsageError, and what ``verify_remote`` does."""
    vault = job.request.vault
    known = find_remote(vault, job.remote)
    asked = VerifyRemoteRequest(
        vault, job.request.target, job.request.sample, job.request.max_duration, key
    )
    with open_known_remote(vault, known, read_identities(None, known.name)) as remote:
        return verify_remote(asked, remote, job.now, progress)


def conclude_verification(job: VerifyJob, result: object, alerting: Alerting) -> VerifyOutcome:
    """Return how a verification ended, from its report or its error, once that is reported."""
    report = result if isinstance(result, RemoteVerification) else None
    error = result if isinstance(result, BaseException) else None
    if report is not None and report.outcome == "fail":
        wrong = [one for one in report.findings if one.kind in WRONG]
        said = tuple(f"{one.subject}: {one.detail}" for one in wrong)
        damaged = RemoteDamaged(report.remote, said[0])
        error = damaged if report.is_damaged else VerificationFailed(report.remote, said)
    if error is None:
        return VerifyOutcome(report, None)
    reason = str(error) if isinstance(error, MiddenError) else type(error).__name__
    name = job.remote or (report.remote if report else "the remote")
    title = f"midden: what is on {name} could not be verified"
    return VerifyOutcome(report, error, notify(alerting, title, reason))
