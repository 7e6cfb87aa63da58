"""A backup, and a round of drills, as pages: what is kept, how far proven, what is missing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from neotoma_core.backup.report import BackupReport, DrillSummary, VerifyReport
from neotoma_core.pages.document import page
from neotoma_core.pages.elements import Element, Node, code, element, outside
from neotoma_core.pages.sections import (
    Column,
    Mood,
    commands,
    footing,
    heading,
    number,
    seconds_spent,
    section,
    some,
    table,
    tiles,
)

_MOODS: Final[dict[str, Mood]] = {"pass": "good", "fail": "bad", "inconclusive": "warn"}
_OUTCOMES: Final = {
    "pass": "proven",
    "fail": "failed",
    "inconclusive": "not fully checked",
}
_LEVELS: Final = {
    "recomputed": "restored, sound, the same rows, snapshots recomputed, raw files hashed",
    "restored": "restored, sound, the same rows",
    "checksums": "the stored bytes are intact",
    "none": "",
}


def backup_page(report: BackupReport) -> bytes:
    """Return the page of a backup. Ids, types and counts are in it, and no stored value."""
    name = Path(report.target).name
    badge, mood = _standing(report)
    return page(
        f"Backup of {name}",
        heading(
            ("midden backup", report.target, report.backup),
            _verdict(report, name),
            " ".join(_lead(report)),
            badge,
            mood,
        ),
        element(
            "main",
            _alarms(report),
            commands(
                (
                    "Next",
                    "Proves this backup by restoring it.",
                    None if report.drill else report.verify,
                ),
                ("Accept", "If the loss was meant.", report.accept if report.frozen else None),
                (
                    "Restore",
                    "Puts the database back to this backup. It asks first.",
                    report.restore,
                ),
            ),
            section("What is kept", tiles(_list_kept(report))),
            _drills([report.drill] if report.drill else []),
            _show_findings(report),
        ),
        footing(
            element("span", "The backup: ", code(report.folder)),
            element("span", f"Took {seconds_spent(report.seconds)}"),
        ),
    )


def verify_page(report: VerifyReport, vault: Path) -> bytes:
    """Return the page of a round of drills."""
    passed = sum(drill.outcome == "pass" for drill in report.drills)
    failed = sum(drill.outcome == "fail" for drill in report.drills)
    verdict = f"{passed:,} of {some(len(report.drills), 'backup')} proven by restoring them"
    return page(
        "Drills",
        heading(
            ("midden verify", str(vault), report.run),
            f"{verdict}; {failed:,} failed." if failed else f"{verdict}.",
            f"{some(len(report.not_reached), 'backup')} could not be reached in the time given."
            if report.not_reached
            else "",
            _OUTCOMES[report.outcome],
            _MOODS[report.outcome],
        ),
        element("main", _drills(report.drills)),
        footing(element("span", f"Took {seconds_spent(report.seconds)}")),
    )


def _standing(report: BackupReport) -> tuple[str, Mood]:
    if report.alarms:
        return "much is missing", "bad"
    if report.drill is None:
        return "not verified", "warn"
    return _OUTCOMES[report.drill.outcome], _MOODS[report.drill.outcome]


def _verdict(report: BackupReport, name: str) -> str:
    held = f"{some(report.observations, 'observation')} of {name} are in a backup"
    if report.alarms:
        return f"{held}, but {report.drop:.0%} of what earlier backups have is missing."
    if report.drill is None:
        return f"{held}, not verified yet."
    if report.drill.outcome == "pass":
        return f"{held}, proven by restoring it."
    return f"{held}, but its drill did not pass."


def _lead(report: BackupReport) -> Iterator[str]:
    if report.frozen:
        yield "No backup is removed until the loss is recovered or accepted."
    if report.raw_files_missing:
        yield f"{some(report.raw_files_missing, 'raw file')} that the database names are missing."


def _commands(report: BackupReport) -> Element | None:
    unproven = None if report.drill else report.verify
    return commands(
        ("Next", "Proves this backup by restoring it.", unproven),
        ("Accept", "If the loss was meant.", report.accept if report.frozen else None),
        ("Restore", "Puts the database back to this backup. It asks.", report.restore),
    )


def _alarms(report: BackupReport) -> Element | None:
    items = [element("li", outside(alarm)) for alarm in report.alarms]
    return section("Missing", element("ul", *items)) if items else None


def _list_kept(report: BackupReport) -> list[tuple[str, str, str]]:
    stored = f"{report.stored_bytes / 1e6:,.1f} MB"
    newest = f"newest {report.newest[:10]}" if report.newest else ""
    return [
        ("observations", number(report.observations), newest),
        ("entities", number(report.entities), ""),
        ("stored as", stored, f"of {report.database_bytes / 1e6:,.1f} MB"),
        ("raw files", number(report.raw_files_kept), f"{report.raw_files_damaged:,} damaged"),
    ]


def _drills(drills: Sequence[DrillSummary]) -> Element | None:
    rows: list[Sequence[Node]] = [
        (
            code(drill.backup),
            element("span", _OUTCOMES[drill.outcome], class_=f"badge {_MOODS[drill.outcome]}"),
            outside("; ".join(filter(None, (_LEVELS.get(drill.level, ""), *drill.reasons)))),
            number(drill.drifted),
            f"{drill.drill_seconds:,.1f}",
        )
        for drill in drills
    ]
    columns = (
        Column("Backup"),
        Column("drill"),
        Column("what it looked at, and why it did not pass"),
        Column("stale snapshots", numbers=True),
        Column("seconds", numbers=True),
    )
    return section("Drills", table("Drills", columns, rows))


def _show_findings(report: BackupReport) -> Element | None:
    noticed = [*report.findings, *(report.drill.findings if report.drill else ())]
    items = [element("li", outside(text)) for text in noticed]
    return section("Noticed", element("ul", *items)) if items else None
