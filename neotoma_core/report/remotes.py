"""How far a remote is behind the database, as a report says it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from neotoma_core.report.layout import label_line


@dataclass(frozen=True, slots=True)
class RemoteStanding:
    """What this machine knows of a remote without asking it.

    ``pushed_at``: when this machine pushed something last. ``whole_at``: when the remote had all
    that the database held, ``lag_seconds``: how long ago that was; null where that was never so.
    ``failing``: why the last push failed, empty where it did not. ``damaged``: files of this
    machine that say when it pushed, and cannot be read. ``push``: the command to run.
    """

    name: str
    url: str
    pushed_at: datetime | None
    whole_at: datetime | None
    lag_seconds: float | None
    failing: str
    damaged: tuple[str, ...]
    push: str


@dataclass(frozen=True, slots=True)
class RemoteStandings:
    """The remotes of a vault; ``problem``: why it cannot be said which there are."""

    remotes: tuple[RemoteStanding, ...] = ()
    problem: str | None = None


def standing_lines(standings: RemoteStandings | None) -> Iterator[str]:
    """Yield a line for each remote, and one for each file that cannot be read."""
    if standings is None:
        return
    if standings.problem:
        yield label_line("remotes", f"not known: {standings.problem}")
    for remote in standings.remotes:
        yield label_line("remote", f"{remote.name}: {_say(remote)}")
        for path in remote.damaged:
            yield label_line("", f"damaged: {path}; remove it, and the next push reads it again")


def _say(remote: RemoteStanding) -> str:
    if remote.lag_seconds is None and remote.pushed_at is None:
        said = "not known when it was pushed to" if remote.damaged else "never pushed"
    elif remote.lag_seconds is None:
        said = f"pushed {_when(remote.pushed_at)}, but never all"
    else:
        said = f"up to date {_ago(remote.lag_seconds)} ago, last pushed {_when(remote.pushed_at)}"
    failing = f"; the last push failed: {remote.failing}" if remote.failing else ""
    asks = remote.failing or remote.lag_seconds is None
    return f"{said}{failing}" + (f"; next: {remote.push}" if asks else "")


def _when(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def _ago(seconds: float) -> str:
    span = timedelta(seconds=int(seconds))
    hours, minutes = span.seconds // 3600, span.seconds // 60 % 60
    if span.days:
        return f"{span.days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{span.seconds} s"
