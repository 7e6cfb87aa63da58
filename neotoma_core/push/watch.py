"""Following a live database: what it commits is on the remote a few seconds later.

Whether anything was committed shows in the size and the times of the database file and of its log:
looking at them costs the database nothing. What changed is found as by any other push, by reading
a copy; so back-dated rows and rows changed in place arrive, too.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from neotoma_core.documents.document import document
from neotoma_core.errors import RemoteUnreachable, TargetLocked, VaultLocked
from neotoma_core.files.atomic import write_file
from neotoma_core.push.push import push
from neotoma_core.push.report import PushReport
from neotoma_core.push.request import PushRequest
from neotoma_core.push.signs import Signs, signs_of
from neotoma_core.remotes.remote import Remote
from neotoma_core.report.progress import Silent

EVERY: Final = timedelta(seconds=5)
_LOOKS: Final = 5  # per period
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 300.0
STATE: Final = "watch.json"


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch says of itself. ``pushed_at``: of the last push; ``failed``: why not since."""

    looked_at: datetime
    pushed_at: datetime | None = None
    failed: str = ""


class Stopped(Exception):
    """Somebody asked a watch to end."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a watch looks. ``sleep`` may raise Stopped, which ends it."""

    clock: Callable[[], datetime]
    every: timedelta = EVERY
    sleep: Callable[[float], None] = time.sleep

    def wait(self) -> None:
        """Wait until the next look: several in a period, so that what comes just after is soon."""
        self.sleep(self.every.total_seconds() / _LOOKS)


def watch(
    request: PushRequest, remote: Remote, rhythm: Rhythm, told: Callable[[PushReport], None]
) -> None:
    """Push whenever the database changed, until interrupted. ``told``: of every push that wrote.

    A remote that does not answer, or a target that is in use, is tried again after a while that
    grows. Raises what ``push`` raises otherwise.
    """
    seen: Signs | None = None
    pushed_at: datetime | None = None
    failures = 0
    try:
        while True:
            signs = signs_of(request.target)
            if signs == seen:
                rhythm.wait()
                continue
            now = rhythm.clock()
            try:
                report = push(request, remote, now, Silent())
            except (RemoteUnreachable, TargetLocked, VaultLocked) as error:
                failures += 1
                _keep(remote, Watched(now, pushed_at, type(error).__name__))
                rhythm.sleep(_wait_after(failures))
                continue
            failures, seen = 0, signs
            if report.outcome != "held":
                pushed_at = now
            _keep(remote, Watched(now, pushed_at, "; ".join(report.alarms)))
            if report.entries or report.alarms:
                told(report)
            rhythm.wait()
    except Stopped:
        return


def _wait_after(failures: int) -> float:
    """Return the seconds to wait after so many failures, spread so that not all come at once."""
    longest = min(_FIRST_WAIT * (1 << min(failures - 1, 16)), _LONGEST_WAIT)
    return longest * (0.75 + secrets.randbelow(1_000) / 2_000)


def _keep(remote: Remote, state: Watched) -> None:
    write_file(remote.cache / STATE, document(state) + b"\n")
