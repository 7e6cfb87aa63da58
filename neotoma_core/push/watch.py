"""Following a live database: what it commits is on the remote a few seconds later.

Whether anything was committed shows in the size and the times of the database file and of its log:
looking at them costs the database nothing. What changed is found as by any other push, by reading
a copy; so back-dated rows and rows changed in place arrive, too.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from neotoma_core.errors import MiddenError
from neotoma_core.push.push import push
from neotoma_core.push.report import PushReport
from neotoma_core.push.request import PushRequest
from neotoma_core.push.signs import Signs, signs_of
from neotoma_core.remotes.remote import Remote
from neotoma_core.remotes.standing import keep_push
from neotoma_core.report.progress import Silent

EVERY: Final = timedelta(seconds=5)
IDLE: Final = timedelta(minutes=1)
_LOOKS: Final = 5  # per period
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 300.0


class Stopped(Exception):
    """Somebody asked a watch to end."""


class Audience(Protocol):
    """Who hears of a watch."""

    def on_push(self, report: PushReport) -> None:
        """Hear of a push that wrote something, or was held back."""

    def on_failure(self, error: MiddenError, failures: int, wait: float) -> None:
        """Hear of a push that is tried again after ``wait`` seconds; ``failures``: in a row."""

    def on_look(self, now: datetime, *, good: bool) -> None:
        """Hear that the watch goes on: after each push, and from time to time while it is idle.

        ``good``: the remote has all that the database holds.
        """


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a watch looks. ``sleep`` may raise Stopped, which ends it."""

    clock: Callable[[], datetime]
    every: timedelta = EVERY
    sleep: Callable[[float], None] = time.sleep

    def wait(self) -> None:
        """Wait until the next look: several in a period, so that what comes just after is soon."""
        self.sleep(self.every.total_seconds() / _LOOKS)


def watch(request: PushRequest, remote: Remote, rhythm: Rhythm, audience: Audience) -> None:
    """Push whenever the database changed, until interrupted.

    What may pass, as a remote that does not answer or a target that is in use, is tried again after
    a while that grows. Raises what ``push`` raises otherwise.
    """
    watching = _Watch(request, remote, rhythm, audience)
    with suppress(Stopped):
        while True:
            watching.look()


class _Watch:
    """One watch: what it saw last, and how that went."""

    def __init__(
        self, request: PushRequest, remote: Remote, rhythm: Rhythm, audience: Audience
    ) -> None:
        self._request = request
        self._remote = remote
        self._rhythm = rhythm
        self._audience = audience
        self._seen: Signs | None = None
        self._failures = 0
        self._good = False
        self._told_at: datetime | None = None

    def look(self) -> None:
        """Look once, push where something changed, and wait."""
        signs = signs_of(self._request.target)
        now = self._rhythm.clock()
        if signs == self._seen:
            self._idle(now)
            self._rhythm.wait()
            return
        try:
            report = push(self._request, self._remote, now, Silent())
        except MiddenError as error:
            if not error.retryable:
                self._tell(now, good=False)
                raise
            self._failures += 1
            wait = _wait_after(self._failures)
            self._audience.on_failure(error, self._failures, wait)
            self._tell(now, good=False)
            self._rhythm.sleep(wait)
            return
        self._failures, self._seen = 0, signs
        if report.entries or report.alarms:
            self._audience.on_push(report)
        self._tell(now, good=not report.alarms)
        self._rhythm.wait()

    def _idle(self, now: datetime) -> None:
        """Say from time to time that what is on the remote is still all there is."""
        if self._told_at is None or now - self._told_at < IDLE:
            return
        if self._good:
            keep_push(self._remote.cache, now)
        self._tell(now, good=self._good)

    def _tell(self, now: datetime, *, good: bool) -> None:
        self._good, self._told_at = good, now
        self._audience.on_look(now, good=good)


def _wait_after(failures: int) -> float:
    """Return the seconds to wait after so many failures, spread so that not all come at once."""
    longest = min(_FIRST_WAIT * (1 << min(failures - 1, 16)), _LONGEST_WAIT)
    return longest * (0.75 + secrets.randbelow(1_000) / 2_000)
