"""The report of ``midden verify --remote``. Its field names are the keys of ``--json`` and stay.

Counts are objects, rows and bytes as they are before they are sealed; durations are seconds. No
stored value is in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from neotoma_core.offsite.comparing import SnapshotsCompared, TableCompared
from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.report.layout import LABELLED, fit_columns, label_line

DAMAGE: Final = frozenset(
    {"remote-damaged", "remote-missing", "remote-replaced", "remote-foreign", "log-unusable"}
)
"""Kinds of findings that say that an object is not what was written."""
WRONG: Final = DAMAGE | {"log-incomplete"}
"""Kinds of findings with which a verification fails."""
_LABELS: Final = {
    "remote-damaged": "damaged",
    "remote-missing": "missing",
    "remote-replaced": "replaced",
    "remote-foreign": "foreign",
    "remote-leftover": "leftover",
    "log-unusable": "damaged",
    "log-incomplete": "incomplete",
    "not-pushed": "not pushed",
    "remote-only": "remote",
    "snapshots-differ": "snapshots",
    "not-checked": "unchecked",
}
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """One log: what it holds, and how many rows the database has that was ``built`` from it.

    ``own``: whether it is of this vault. ``built``: None where it was not built.
    """

    writer: str
    target: str
    own: bool
    entries: int
    backups: int
    built: int | None


@dataclass(frozen=True, slots=True)
class RemoteVerification:
    """One look at a remote.

    ``objects``: all that are there; ``contents``: those that entries name; ``read``: of these, the
    ones that were read and are what was written. ``compared`` and ``snapshots``: this vault's own
    log against the local database; None where it was not compared. ``findings`` name what is wrong,
    what was not looked at, and what differs.
    """

    outcome: Literal["pass", "fail", "inconclusive"]
    remote: str
    target: str | None
    objects: int
    contents: int
    read: int
    bytes: int
    logs: tuple[VerifiedLog, ...]
    compared: tuple[TableCompared, ...] | None
    snapshots: SnapshotsCompared | None
    findings: tuple[Finding, ...]
    seconds: Mapping[str, float]

    @property
    def is_damaged(self) -> bool:
        """Whether any object is not what was written."""
        return any(finding.kind in DAMAGE for finding in self.findings)

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def verification_text(report: RemoteVerification) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: RemoteVerification) -> Iterator[str]:
    yield label_line("remote", report.remote)
    for log in report.logs:
        whose = "of this vault" if log.own else f"of {log.target}"
        built = "not rebuilt" if log.built is None else f"rebuilt with {log.built:,} rows"
        yield label_line(
            "log",
            f"{log.writer[:8]}, {whose}: {log.entries:,} entries, {log.backups:,} backups; {built}",
        )
    yield label_line(
        "read",
        f"{report.read:,} of {report.contents:,} contents, {report.bytes / 1e6:,.1f} MB; "
        f"{report.objects:,} objects are there",
    )
    yield from _comparison_lines(report)
    for finding in report.findings[:_SHOWN]:
        label = _LABELS.get(finding.kind, finding.kind)
        yield label_line(label, f"{finding.subject}: {finding.detail}")
    if len(report.findings) > _SHOWN:
        yield label_line("", f"and {len(report.findings) - _SHOWN:,} more: --json lists all")
    took = f"{sum(report.seconds.values()):,.1f} s"
    yield {
        "pass": label_line("verified", f"every object is what was written; {took}"),
        "fail": label_line("FAILED", took),
        "inconclusive": label_line("incomplete", f"nothing is wrong with what was checked; {took}"),
    }[report.outcome]


def _comparison_lines(report: RemoteVerification) -> Iterator[str]:
    if report.compared:
        rows = [("", "in both", "local only", "remote only")]
        rows += [
            (t.table, f"{t.both:,}", f"{t.only_local:,}", f"{t.only_remote:,}")
            for t in report.compared
        ]
        for place, line in enumerate(fit_columns(rows, right=(1, 2, 3), indent=LABELLED)):
            yield label_line("" if place else "compared", line)
    if report.snapshots is not None:
        same = report.snapshots.stored - report.snapshots.differing
        yield label_line(
            "snapshots", f"{max(same, 0):,} of {report.snapshots.stored:,} are the same"
        )
