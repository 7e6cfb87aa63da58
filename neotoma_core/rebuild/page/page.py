"""A rebuild as a page: how far the snapshots were from the log, why, and what was done about it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

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
from neotoma_core.rebuild.report import RebuildReport

_BADGES = {
    "checked": "checked; nothing was changed",
    "planned": "a plan; nothing was changed",
    "rebuilt": "rebuilt and proven",
    "unchanged": "nothing was stale",
    "exported": "exported; nothing was changed",
}


def rebuild_page(report: RebuildReport, next_command: str | None) -> bytes:
    """Return the page of a rebuild. Ids, types and names of fields are in it, no stored value."""
    name = Path(report.target).name
    return page(
        f"Snapshots of {name}",
        heading(
            ("midden rebuild", report.target, report.run),
            _verdict(report, name),
            " ".join(_lead(report)),
            _BADGES[report.outcome],
            _mood(report),
        ),
        element(
            "main",
            commands(
                ("Next", "Recomputes them; it asks before it writes.", next_command),
                ("Undo", "Puts the database back to what it was. It asks first.", report.undo),
            ),
            section("What was looked at", tiles(_facts(report))),
            _tables(report),
            _reasons(report),
            _show_drift(report),
            findings(report.findings),
            proofs(report.checks),
        ),
        footing(
            element("span", "The report as data: ", code(report.report)),
            element("span", f"Took {seconds_spent(report.seconds)}") if report.seconds else None,
        ),
    )


def _mood(report: RebuildReport) -> Mood:
    if report.outcome in ("rebuilt", "unchanged") or not report.drifts:
        return "good"
    return "bad" if report.unexplained else "warn"


def _verdict(report: RebuildReport, name: str) -> str:
    drifted = some(report.drifts, "snapshot")
    if report.outcome == "rebuilt":
        return f"{name}: {some(report.writes, 'row')} written, so that snapshots follow the log."
    if report.outcome == "exported":
        return f"The entity snapshots of {name} were written to a file."
    if not report.drifts:
        return f"Every snapshot of {name} is what its log says."
    verb = "differs" if report.drifts == 1 else "differ"
    return f"{name}: {drifted} {verb} from what the log says."


def _lead(report: RebuildReport) -> Iterator[str]:
    if report.drifts:
        left = report.drifts - report.unexplained
        yield f"Neotoma left {left:,} of them so; {report.unexplained:,} have no known reason."
    if report.checks:
        yield f"All {len(report.checks)} proofs passed before the commit."


def _facts(report: RebuildReport) -> list[tuple[str, str, str]]:
    return [
        ("observations", number(report.observations), ""),
        ("entities", number(report.entities), "only a part" if report.narrowed else ""),
        ("differ from the log", number(report.drifts), ""),
        ("rows to write", number(report.writes), f"rules of {report.rules.name}"),
    ]


def _tables(report: RebuildReport) -> Element | None:
    rows: list[Sequence[Node]] = [
        (
            code(derived.table),
            *map(number, (drift.missing, drift.stale, drift.unexpected, drift.wrong_count)),
            number(derived.unchanged),
        )
        for derived, drift in zip(report.derived, report.drift, strict=False)
    ]
    titles = ("missing", "stale", "unexpected", "wrong count", "as the log says")
    columns = (Column("Snapshots"), *(Column(title, numbers=True) for title in titles))
    return section("Table by table", table("Snapshots per table", columns, rows))


def _reasons(report: RebuildReport) -> Element | None:
    reasons: Counter[str] = Counter()
    for summary in report.drift:
        reasons.update(summary.reasons)
    rows: list[Sequence[Node]] = [(outside(why), number(n)) for why, n in reasons.most_common()]
    columns = (Column("Reason"), Column("snapshots", numbers=True))
    return section("Why they differ", table("Why snapshots differ", columns, rows))


def _show_drift(report: RebuildReport) -> Element | None:
    rows: list[Sequence[Node]] = [
        (
            code(item.id),
            outside(item.type or ""),
            item.kind,
            outside(", ".join(item.fields or item.columns)),
            outside(item.reason or ""),
        )
        for item in report.drifted
    ]
    columns = tuple(map(Column, ("Snapshot", "type", "is", "differs in", "because")))
    more = element("p", "All of them: ", code(report.drift_file)) if report.drift_file else None
    return section("Which", table("Snapshots that differ", columns, rows), more) if rows else None
