"""What is behind the verdict of a recovery: its copies, its plan, and what somebody may decide."""

from collections.abc import Sequence
from typing import Final

from neotoma_core.merge.accounting import CLASSES, total
from neotoma_core.pages.elements import Element, Node, code, element, outside
from neotoma_core.pages.sections import Column, ids, number, section, table, tiles
from neotoma_core.recovery.page.tallies import RecoveryShown
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.report.layout import days

_TITLES: Final = {"reingested": "sent again", "three_way": "one side only"}


def copies(report: RecoveryReport) -> Element | None:
    """Return which copies were used, and why not others."""
    rows: list[Sequence[Node]] = [
        (
            code(one.path),
            number(one.observations),
            days(one.first, one.last),
            f"used, brings {one.adds:,}",
        )
        for one in report.backups
    ]
    rows += [
        (code(one.path), "", "", outside(f"not used: {one.reason}")) for one in report.not_used
    ]
    if report.composition:
        rows += [
            (code(one.path), "", "", outside(f"not needed: {one.reason}"))
            for one in report.composition.unused
        ]
    columns = (
        Column("Copy"),
        Column("observations", numbers=True),
        Column("observed"),
        Column("in this recovery"),
    )
    return section("Copies", _show_search(report), table("Copies", columns, rows))


def _show_search(report: RecoveryReport) -> Element | None:
    found = report.composition
    if found is None:
        return None
    said = f"{found.files:,} files were looked at, {found.copies:,} of them are copies."
    return element("p", said, class_="note")


def plan(report: RecoveryReport) -> Element | None:
    """Return where every row went, table by table, and the snapshots recomputed."""
    merged = [counts for counts in report.tables if counts.read > counts.skipped]
    first = ("inserted", "identical", "conflict", "reingested")
    further = [n for n in CLASSES if n not in first and total(tuple(merged), n)]
    classes = (*first, *further)
    rows: list[Sequence[Node]] = [
        (
            code(counts.table),
            report.backups[counts.backup].label.replace("-", " "),
            number(counts.read),
            *(number(getattr(counts, name)) for name in classes),
        )
        for counts in merged
    ]
    columns = (
        Column("Table"),
        Column("of"),
        Column("read", numbers=True),
        *(Column(_TITLES.get(name, name), numbers=True) for name in classes),
    )
    said = f"Where every row of the copies went; {_by_mode(report)}."
    listed = table("Plan per table", columns, rows)
    snapshots = _show_derived(report)
    note = element("p", said, class_="note") if rows else None
    return section("Row by row", note, listed, _show_skipped(report), snapshots)


def _by_mode(report: RecoveryReport) -> str:
    return {
        "keep-target": "where rows differ, that of the database stays",
        "keep-source": "where rows differ, that of the copy replaces the database's",
    }.get(report.mode, "where rows differ, nothing is written until you decide")


def _show_derived(report: RecoveryReport) -> Element | None:
    rows: list[Sequence[Node]] = [
        (code(d.table), *map(number, (d.inserted, d.updated, d.removed, d.unchanged)))
        for d in report.derived
    ]
    titles = ("added", "changed", "removed", "unchanged")
    columns = (Column("Recomputed"), *(Column(title, numbers=True) for title in titles))
    return table("Snapshots recomputed from the log", columns, rows)


def _show_skipped(report: RecoveryReport) -> Element | None:
    left: dict[tuple[str, str], int] = {}
    for counts in report.tables:
        for reason, rows in counts.reasons.items():
            left[counts.table, reason] = left.get((counts.table, reason), 0) + rows
    cells: list[Sequence[Node]] = [
        (code(name), number(rows), outside(reason)) for (name, reason), rows in left.items()
    ]
    columns = (Column("Not merged"), Column("rows", numbers=True), Column("why"))
    return table("Rows that are not merged, and why", columns, cells)


def conflicts(report: RecoveryReport) -> Element | None:
    """Return the first rows in conflict with the columns that differ, and where all of them are."""
    conflicts = report.conflicts
    if conflicts.file is None:
        return None
    rows: list[Sequence[Node]] = []
    for one in conflicts.first:
        differing = one["columns"]
        named = ", ".join(map(str, differing)) if isinstance(differing, list) else ""
        place = (code(str(one["table"])), code(str(one["key"])), str(one["backup"]))
        rows.append((*place, outside(named), f"{one['keep'] or 'undecided'} ({one['by']})"))
    columns = tuple(map(Column, ("Table", "Row", "Copy", "Columns that differ", "What is kept")))
    said = (
        f"{conflicts.rows:,} rows have one key and different values, {conflicts.undecided:,} of "
        f"them not decided by you; {conflicts.three_way:,} more changed on one side only."
    )
    return section(
        "Conflicts",
        element("p", said),
        table("The first conflicts", columns, rows),
        element("p", "All of them, with both values: ", code(conflicts.file), class_="note"),
    )


def resent(shown: RecoveryShown) -> Element | None:
    """Return the entities of observations that were sent again, by id."""
    resent = shown.report.reingested
    if not resent.observations:
        return None
    kept = "keep the time each was first observed"
    if resent.kept != "keep-earliest":
        kept = "look newer than they are"
    said = (
        f"{resent.observations:,} observations were sent again and {kept}; "
        f"{resent.entities_differ:,} entities, those that differ, would show other values under "
        "the other choice."
    )
    listed = [
        (entity, kind + (" \N{MIDDLE DOT} differs" if differs else ""))
        for entity, kind, differs in shown.resent
    ]
    where = element("p", "All: ", code(resent.file), class_="note") if resent.file else None
    return section("Sent again", element("p", said), ids(listed), where)


def raw_files(report: RecoveryReport) -> Element | None:
    """Return what became of raw files; None where there is nothing to say."""
    raw = report.raw_files
    facts = [
        ("added" if report.outcome == "published" else "to add", number(raw.added), ""),
        ("repaired", number(len(raw.repaired)), ""),
        ("missing everywhere", number(len(raw.missing)), "report.json lists them"),
        ("damaged everywhere", number(len(raw.damaged)), ""),
    ]
    some = any((raw.added, raw.repaired, raw.missing, raw.damaged))
    return section("Raw files", tiles([one for one in facts if one[1] != "0"])) if some else None
