"""A recovery as a page: what was lost and what came back first, then everything behind it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from neotoma_core.pages.coverage import coverage
from neotoma_core.pages.document import page
from neotoma_core.pages.elements import Element, Node, code, element, outside
from neotoma_core.pages.sections import (
    Column,
    Mood,
    commands,
    findings,
    footing,
    heading,
    number,
    proofs,
    seconds_spent,
    section,
    some,
    table,
    tiles,
)
from neotoma_core.recovery.page.details import conflicts, copies, plan, raw_files, resent
from neotoma_core.recovery.page.tallies import RecoveryShown, TypeRecovered
from neotoma_core.recovery.report import Contents, RecoveryReport
from neotoma_core.report.layout import days

_MOODS: Final[dict[str, Mood]] = {
    "published": "good",
    "unchanged": "good",
    "planned": "warn",
    "refused": "bad",
}
_BADGES: Final = {
    "published": "recovered and proven",
    "unchanged": "nothing was missing",
    "planned": "a plan; nothing was changed",
    "refused": "stopped; nothing was changed",
}
_NEXT: Final = {
    "published": "Back up what you have again, and daily, so that the next time takes seconds.",
    "unchanged": "See what protects this database.",
    "planned": "Carry the plan out. It asks before it writes.",
    "refused": "Decide each row of the file, as source or target, and run this.",
}
_MOST_TYPES: Final = 60


def recovery_page(shown: RecoveryShown) -> bytes:
    """Return the page of a recovery. Ids, types, paths and counts are in it, and no stored value.

    Names of entities are, where they were asked for.
    """
    report = shown.report
    name = Path(report.target).name
    return page(
        f"Recovery of {name}",
        _head(report, name),
        element(
            "main",
            _back(shown.types, report),
            _commands(shown),
            _coverage(shown),
            _contents(report),
            copies(report),
            plan(report),
            conflicts(report),
            resent(shown),
            raw_files(report),
            findings(report.findings),
            proofs(report.checks),
        ),
        _foot(report),
    )


def _head(report: RecoveryReport, name: str) -> Element:
    return heading(
        ("midden recover", report.target, report.run),
        _verdict(report, name),
        " ".join(_lead(report)),
        _BADGES[report.outcome],
        _MOODS[report.outcome],
    )


def _verdict(report: RecoveryReport, name: str) -> str:
    observations = report.after.observations - report.before.observations
    entities = report.after.entities - report.before.entities
    back = f"{some(observations, 'observation')} and {some(entities, 'entity')}"
    if report.outcome == "published" and observations:
        return f"{name} is recovered: {back} came back."
    if report.outcome == "published":
        return (
            f"{name} is recovered: {report.writes:,} rows were written, none of them lost before."
        )
    if report.outcome == "unchanged":
        return f"Nothing was missing: {name} has every row of its copies that can be merged."
    if report.outcome == "refused":
        left = some(report.conflicts.undecided, "conflict")
        return f"Nothing was changed: safe mode leaves {left} between {name} and its copies to you."
    return f"A recovery would bring {back} back to {name}."


def _lead(report: RecoveryReport) -> Iterator[str]:
    was, will = report.before.observations, report.after.observations
    if report.ruin:
        yield f"The file could not be used as it was ({report.ruin.state}); a new one replaces it."
    elif not report.target_existed:
        yield "The database was gone."
    elif will > was:
        share = 100 * (will - was) / will
        yield (
            f"It held {was:,} of the {will:,} observations that it and its copies have together; "
            f"{share:.0f} % were missing."
        )
    if report.outcome == "published":
        yield f"All {len(report.checks)} proofs passed before the commit."
    if report.set_aside:
        yield f"{report.set_aside:,} rows could not be merged and are kept in the quarantine."


def _contents(report: RecoveryReport) -> Element | None:
    before, after = report.before, report.after
    names = ("observations", "entities", "entity_snapshots", "relationship_snapshots")
    done = report.outcome == "published"
    facts = [
        (
            name.replace("_", " "),
            number(getattr(after if done else before, name)),
            f"{getattr(before, name):,} before" if done else _would(before, after, name),
        )
        for name in names
    ]
    spans = days(before.first, before.last) or "nothing", days(after.first, after.last) or "nothing"
    facts.append(("activity", spans[1], f"{spans[0]} before"))
    return section("Before and after", tiles(facts))


def _would(before: Contents, after: Contents, name: str) -> str:
    same = getattr(before, name) == getattr(after, name)
    return "unchanged" if same else f"{getattr(after, name):,} after a recovery"


def _commands(shown: RecoveryShown) -> Element | None:
    report = shown.report
    return commands(
        ("Next", _NEXT[report.outcome], shown.next),
        ("Undo", "Puts the database back to what it was. It asks first.", report.undo),
    )


def _back(types: Sequence[TypeRecovered], report: RecoveryReport) -> Element | None:
    gained = [one for one in types if one.back or one.observations]
    title = "What came back" if report.outcome == "published" else "What would come back"
    rows: list[Sequence[Node]] = [
        (
            _show_names(one),
            number(one.back),
            number(one.observations),
            number(one.before),
            number(one.before + one.back),
        )
        for one in gained
    ]
    columns = (
        Column("Type"),
        Column("entities", numbers=True),
        Column("observations", numbers=True),
        Column("entities before", numbers=True),
        Column("after", numbers=True),
    )
    said = f"Entities of {len(gained):,} types, those with most first."
    note = element("p", said, class_="note")
    return section(title, note, table(title, columns, rows, most=_MOST_TYPES)) if rows else None


def _show_names(one: TypeRecovered) -> Node:
    if not one.names:
        return outside(one.entity_type)
    more = one.back - len(one.names)
    parts: list[Node] = []
    for name in one.names:
        parts += [", ", outside(name)]
    tail = f", and {more:,} more" if more > 0 else ""
    names = element("div", *parts[1:], tail, class_="facts")
    return element("div", outside(one.entity_type), names)


def _coverage(shown: RecoveryShown) -> Element | None:
    return section("Who had what, over time", coverage(shown.lanes))


def _foot(report: RecoveryReport) -> Element:
    evidence = report.evidence
    size = f"{evidence.databases} databases, {evidence.bytes / 1e6:,.1f} MB, are kept in "
    took = seconds_spent(report.seconds)
    return footing(
        element("span", size, code(evidence.folder)),
        element("span", "The report as data: ", code(report.report)),
        element("span", f"Took {took}") if took else None,
    )
