"""The state of every protected database as text: a line about each, those that need you first."""

from datetime import datetime

from neotoma_core.find.board.report import BoardEntry, BoardReport
from neotoma_core.find.text import drop_line
from neotoma_core.neotoma.tables.carried import make_printable
from neotoma_core.report.layout import label_line


def board_text(report: BoardReport, now: datetime) -> str:
    """Return the lines; the last one names the page."""
    entries = sorted(report.databases, key=lambda entry: (not entry.is_alarming, entry.target))
    lines = [make_printable(_line(entry, now)) for entry in entries] or [
        "no database is protected yet"
    ]
    if report.page:
        lines.append(label_line("page", report.page))
    return "\n".join(lines)


def _line(entry: BoardEntry, now: datetime) -> str:
    if entry.status is None:
        return f"{entry.target}: {entry.problem}"
    protection = entry.status.protection
    return f"{drop_line(entry.status.drop, now)}; {protection.said if protection else 'no backup'}"
