"""The state of every protected database as a page: what needs somebody comes first."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from neotoma_core.find.board.report import BoardEntry, BoardReport
from neotoma_core.pages.document import page
from neotoma_core.pages.elements import Element, Node, code, element, outside
from neotoma_core.pages.sections import (
    Column,
    Mood,
    command_line,
    footing,
    heading,
    number,
    some,
    table,
    tiles,
)
from neotoma_core.pages.timeline import timeline
from neotoma_core.report.inventory import StatusReport
from neotoma_core.report.protection import ProtectionSummary
from neotoma_core.report.remotes import RemoteStanding

_COMPARED: Final = (
    "Each is compared with the backups of its own vault. For copies elsewhere, ask about one: "
)
_ORDER: Final[Mapping[Mood, int]] = {"bad": 0, "warn": 1, "good": 2}
_BADGES: Final = {
    "wiped": "looks wiped",
    "ruined": "cannot be used",
    "unread": "not read",
    "lacking": "backups have more",
    "whole": "nothing is missing",
    "alone": "nothing to compare with",
}


def board_page(report: BoardReport, now: datetime) -> bytes:
    """Return the page. Paths, counts, times and names of remotes are in it, no stored value."""
    entries = sorted(
        report.databases, key=lambda entry: (_ORDER[_standing(entry)[1]], entry.target)
    )
    wrong = sum(_standing(entry)[1] != "good" for entry in entries)
    needs = "needs" if wrong == 1 else "need"
    verdict = f"{wrong:,} of {some(len(entries), 'database')} {needs} you."
    if not entries:
        verdict = "No database is protected yet."
    elif not wrong:
        verdict = f"All is well with {some(len(entries), 'database')}."
    mood = _standing(entries[0])[1] if entries else "warn"
    return page(
        "Protected databases",
        heading(
            ("midden status", f"{now:%Y-%m-%d %H:%M} UTC"),
            verdict,
            "" if entries else "Take a first backup: midden backup --target DB",
            f"{wrong:,} {needs} you" if wrong else "all is well",
            mood,
        ),
        element("main", *(_database(entry, now) for entry in entries)),
        footing(
            element("span", _COMPARED, code("midden status TARGET")),
        ),
    )


def _database(entry: BoardEntry, now: datetime) -> Element:
    status = entry.status
    badge, mood = _standing(entry)
    alarms = [element("li", outside(one), class_="bad") for one in _alarms(entry)]
    return element(
        "section",
        element("h2", outside(Path(entry.target).name)),
        element("p", code(entry.target), class_="note"),
        element("p", element("span", badge, class_=f"badge {mood}")),
        element("p", outside(_verdict_of(entry))),
        element("ul", *alarms) if alarms else None,
        _next(status),
        tiles(_facts(entry, now)),
        timeline(entry.points, now, _rows_now(status)),
        _remotes(status, now),
    )


def _standing(entry: BoardEntry) -> tuple[str, Mood]:
    status = entry.status
    if status is None:
        return "not read", "bad"
    if status.drop.verdict in ("wiped", "ruined"):
        return _BADGES[status.drop.verdict], "bad"
    protection = status.protection
    if protection is not None and protection.is_alarming:
        return ("rotation is frozen" if protection.frozen else "needs you"), "bad"
    if status.is_alarming or status.drop.verdict in ("lacking", "unread") or not entry.points:
        return _BADGES[status.drop.verdict] if entry.points else "not backed up", "warn"
    return "protected", "good"


def _verdict_of(entry: BoardEntry) -> str:
    if entry.status is None:
        return entry.problem or "It could not be looked at."
    drop = entry.status.drop
    return {
        "wiped": f"{some(drop.lacks, 'observation')} in its backups are no longer in it.",
        "lacking": f"{some(drop.lacks, 'observation')} in its backups are no longer in it.",
        "ruined": f"Of what was in it, {some(drop.observations, 'observation')} can be saved.",
        "unread": "Another program keeps it locked.",
        "whole": "It has everything that its backups hold.",
        "alone": "There is no backup to compare it with.",
    }[drop.verdict]


def _alarms(entry: BoardEntry) -> Iterator[str]:
    status = entry.status
    if status is None:
        return
    if status.problem:
        yield f"{status.state}: {status.problem.removeprefix(status.state + ': ')}"
    protection = status.protection
    if protection is not None:
        if protection.overdue_seconds is not None:
            yield f"The next backup is late by {_span(protection.overdue_seconds)}."
        yield from protection.alarms
        if protection.incomplete:
            yield "Something among the backups cannot be read."
    if status.raw_files and status.raw_files.gone:
        yield f"{some(status.raw_files.gone, 'raw file')} are no longer with the database."
    for remote in status.remotes.remotes if status.remotes else ():
        if remote.failing:
            yield f"The last push to {remote.name} failed: {remote.failing}"


def _next(status: StatusReport | None) -> Element | None:
    if status is None or status.next is None:
        return None
    return element("div", element("h3", "What to do"), command_line(status.next))


def _facts(entry: BoardEntry, now: datetime) -> list[tuple[str, str, str]]:
    status = entry.status
    protection = status.protection if status else None
    newest = entry.points[-1] if entry.points else None
    held = "could not be read" if status is None else f"{status.entities:,} entities"
    facts = [("observations now", number(status.observations) if status else "?", held)]
    facts.append(
        (
            "last backup",
            _ago(newest.at, now) if newest else "never",
            f"{newest.rows:,} observations" if newest else "",
        )
    )
    facts.append(("last proven", *_proven(entry, now)))
    facts.append(("backups", number(len(entry.points)), _rotation(protection)))
    return facts


def _proven(entry: BoardEntry, now: datetime) -> tuple[str, str]:
    drilled = [point.drilled for point in entry.points if point.drilled]
    return (_ago(max(drilled), now) if drilled else "never"), "by restoring it"


def _rotation(protection: ProtectionSummary | None) -> str:
    if protection is None:
        return "no vault yet"
    if protection.frozen:
        return "rotation is frozen: none is removed"
    return f"{protection.good:,} of them good"


def _remotes(status: StatusReport | None, now: datetime) -> Element | None:
    standings = status.remotes if status else None
    if standings is None:
        return None
    if standings.problem:
        return element("p", outside(f"Remotes are not known: {standings.problem}"), class_="warn")
    rows: list[Sequence[Node]] = [
        (
            outside(one.name),
            code(one.url),
            _lag(one),
            _ago(one.pushed_at, now) if one.pushed_at else "never",
            code(one.push),
        )
        for one in standings.remotes
    ]
    columns = tuple(map(Column, ("Remote", "address", "is behind", "last push", "pushes now")))
    return table("Remotes", columns, rows)


def _lag(remote: RemoteStanding) -> str:
    if remote.lag_seconds is None:
        return "never had everything"
    return f"by {_span(remote.lag_seconds)}"


def _rows_now(status: StatusReport | None) -> int | None:
    readable = status is not None and status.drop.verdict not in ("unread", "ruined")
    return status.observations if status is not None and readable else None


def _ago(moment: datetime, now: datetime) -> str:
    passed = (now - moment).total_seconds()
    return "just now" if passed < 60 else f"{_span(passed)} ago"  # noqa: PLR2004 - a minute


def _span(seconds: float) -> str:
    """Return a span in its two largest units."""
    span = timedelta(seconds=int(seconds))
    hours, minutes = span.seconds // 3600, span.seconds // 60 % 60
    if span.days:
        return f"{span.days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
