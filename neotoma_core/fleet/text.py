"""How an operation over many databases went, as a table: the rows that need you come first."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from neotoma_core.fleet.report import FleetReport, FleetRow, rank
from neotoma_core.report.layout import escape_name, fit_columns, label_line

_HEAD: Final = ("database", "outcome", "seconds", "what happened")
_ORDER: Final = ("alarm", "failed", "refused", "attention", "ok")


def fleet_text(report: FleetReport) -> str:
    """Return the table, and the counts below it."""
    return "\n".join(_lines(report))


def _lines(report: FleetReport) -> Iterator[str]:
    rows = sorted(report.rows, key=rank)
    yield from fit_columns([_HEAD, *map(_cells, rows)], (2,))
    yield ""
    yield label_line(report.operation, f"{count_words(report.rows)}, in {report.seconds:,.1f} s")


def _cells(row: FleetRow) -> tuple[str, str, str, str]:
    said = escape_name(row.said)
    tried = f" (tried {row.attempts} times)" if row.attempts > 1 else ""
    return escape_name(row.label), row.outcome, f"{row.seconds:.1f}", f"{said}{tried}"


def count_words(rows: Sequence[FleetRow]) -> str:
    """Return how many databases ended how, as words; the worst first."""
    counts = Counter(row.outcome for row in rows)
    some = [f"{counts[one]:,} {one}" for one in _ORDER if counts[one]]
    return f"{len(rows):,} rows: {', '.join(some)}" if rows else "nothing to do"
