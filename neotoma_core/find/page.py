"""What a search found as a page, or as its picture alone: which copy covers what, over time."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from neotoma_core.pages.coverage import Kind, Lane, coverage, coverage_picture
from neotoma_core.pages.document import page
from neotoma_core.pages.elements import Element, Node, code, element, outside
from neotoma_core.pages.sections import (
    Column,
    Mood,
    commands,
    footing,
    heading,
    number,
    section,
    some,
    table,
)
from neotoma_core.report.inventory import CopyRow, DropCheck, InventoryReport
from neotoma_core.report.layout import common_folder, days

_MOODS: Final[Mapping[str, Mood]] = {
    "wiped": "bad",
    "ruined": "bad",
    "unread": "warn",
    "lacking": "warn",
    "whole": "good",
    "alone": "good",
}
_BADGES: Final = {
    "wiped": "looks wiped",
    "ruined": "cannot be used",
    "unread": "not read",
    "lacking": "copies have more",
    "whole": "nothing is missing",
    "alone": "no other copy",
}


def inventory_picture(report: InventoryReport) -> bytes:
    """Return the picture alone, as SVG."""
    return coverage_picture(list(lanes_of(report)))


def inventory_page(report: InventoryReport) -> bytes:
    """Return the page. Paths, counts and days are in it, and no stored value."""
    worst = min(report.drops, key=lambda drop: [*_MOODS].index(drop.verdict), default=None)
    return page(
        "Copies found",
        heading(
            ("midden find", *report.searched),
            _verdict(report, worst),
            _lead(report),
            _BADGES[worst.verdict] if worst else "copies found",
            _MOODS[worst.verdict] if worst else "good",
        ),
        element(
            "main",
            commands(*(("Next", f"For {drop.target}.", drop.next) for drop in report.drops)),
            section("Who has what, over time", coverage(list(lanes_of(report)))),
            _copies(report),
            _drops(report),
            _archives(report),
            _problems(report),
        ),
        footing(element("span", "Nothing was written next to what was found.")),
    )


def lanes_of(report: InventoryReport) -> Iterator[Lane]:
    """Yield the copies with rows: live ones first, then those with most, database by database."""
    drawn = sorted(
        (row for row in report.copies if row.shown in report.density),
        key=lambda row: (
            row.database or "",
            not row.live,
            -(row.observations or 0),
            row.same_as or row.shown,
            row.same_as is not None,
        ),
    )
    folder = common_folder([row.shown for row in drawn])
    lacking = {drop.target for drop in report.drops if drop.lacks}
    for row in drawn:
        own = report.density[row.shown]
        lost = _find_lost(row, drawn, report.density) if row.live and row.shown in lacking else {}
        yield Lane(row.shown.removeprefix(folder), tuple(_facts(row)), _kind(row), own, lost)


def _find_lost(
    live: CopyRow, drawn: Sequence[CopyRow], density: Mapping[str, Mapping[str, int]]
) -> Mapping[str, int]:
    """Return per day what a live database has less than the copy of it that has most."""
    most: dict[str, int] = {}
    for row in drawn:
        if row is not live and row.database == live.database:
            for day, count in density[row.shown].items():
                most[day] = max(most.get(day, 0), count)
    own = density[live.shown]
    return {day: n - own.get(day, 0) for day, n in most.items() if n > own.get(day, 0)}


def _kind(row: CopyRow) -> Kind:
    if row.live:
        return "target"
    if row.salvaged:
        return "salvaged"
    return "twin" if row.same_as else "copy"


def _facts(row: CopyRow) -> Iterator[str]:
    yield some(row.observations or 0, "observation")
    if row.first:
        yield days(row.first, row.last)
    if row.exclusive and not row.same_as:
        yield f"{row.exclusive:,} only here"
    if row.salvaged:
        yield f"salvaged, {row.state}"
    if row.same_as:
        yield "same bytes as another"
    if row.environment == "development":
        yield "development"
    if row.database:
        yield f"database {row.database}"


def _verdict(report: InventoryReport, worst: DropCheck | None) -> str:
    name = Path(worst.target).name if worst else ""
    if worst is None or worst.verdict in ("whole", "alone"):
        found = some(len(report.copies), "copy")
        lacks = "none that is in use lacks what another has" if worst else "none of them is in use"
        return f"{found} found; {lacks}."
    if worst.verdict == "unread":
        return f"{name} could not be read: another program keeps it locked."
    if worst.verdict == "ruined":
        return f"{name} cannot be used as it is; {worst.observations:,} observations can be saved."
    said = "looks wiped" if worst.verdict == "wiped" else "lacks data"
    lacking = f"{some(worst.lacks, 'observation')} {'is' if worst.lacks == 1 else 'are'}"
    return f"{name} {said}: {lacking} in its copies and no longer in it."


def _lead(report: InventoryReport) -> str:
    databases = len({row.database for row in report.copies if row.database})
    looked = f"{report.files:,} files in {report.folders:,} folders were looked at"
    return f"{looked}; {some(len(report.copies), 'copy')} of {some(databases, 'database')} found."


def _copies(report: InventoryReport) -> Element | None:
    folder = common_folder([row.shown for row in report.copies])
    rows: list[Sequence[Node]] = [
        (
            code(row.shown.removeprefix(folder)),
            number(row.observations or 0),
            number(row.exclusive or 0),
            number(row.entities or 0),
            days(row.first, row.last),
            row.state,
            f"{row.size / 1e6:,.1f}",
            row.environment or "",
            row.database or "",
        )
        for row in report.copies
    ]
    columns = (
        Column("Copy"),
        Column("observations", numbers=True),
        Column("only here", numbers=True),
        Column("entities", numbers=True),
        Column("observed"),
        Column("state"),
        Column("MB", numbers=True),
        Column("environment"),
        Column("database"),
    )
    below = element("p", "Below ", code(folder), class_="note") if folder else None
    return section("Copies", below, table("Copies", columns, rows)) if rows else None


def _drops(report: InventoryReport) -> Element | None:
    rows: list[Sequence[Node]] = [
        (
            code(drop.target),
            element("span", _BADGES[drop.verdict], class_=f"badge {_MOODS[drop.verdict]}"),
            number(drop.observations),
            number(drop.lacks),
            code(drop.best) if drop.best else "",
        )
        for drop in report.drops
    ]
    columns = (
        Column("Database in use"),
        Column("verdict"),
        Column("observations", numbers=True),
        Column("lacks", numbers=True),
        Column("best copy"),
    )
    return section("In use", table("Databases in use", columns, rows))


def _archives(report: InventoryReport) -> Element | None:
    rows: list[Sequence[Node]] = [
        (code(one.path), code(one.command)) for one in report.kept_archives
    ]
    rows += [(code(log.path), code(log.command)) for log in report.left_logs]
    columns = (Column("Archive, or log without its database"), Column("recovers from it"))
    return section("Also found", table("Also found", columns, rows))


def _problems(report: InventoryReport) -> Element | None:
    wrong = [(row.shown, row.problem) for row in report.copies if row.problem]
    wrong += [*report.archives.items(), *report.unreadable.items()]
    rows: list[Sequence[Node]] = [(code(place), outside(said)) for place, said in wrong]
    columns = (Column("Place"), Column("what is wrong"))
    return section("Not whole, or not read", table("Not whole, or not read", columns, rows))
