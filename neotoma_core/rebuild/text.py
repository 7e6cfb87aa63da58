"""A rebuild's report as text for a terminal."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from neotoma_core.rebuild.report import DriftItem, RebuildReport
from neotoma_core.report.layout import (
    LABELLED,
    align,
    cut_off_words,
    fit_columns,
    label_line,
    undo_lines,
)
from neotoma_core.report.unfinished import KINDS, lines_of_unfinished
from neotoma_core.snapshots.explaining import UNKNOWN
from neotoma_core.snapshots.rules_report import rules_lines

_SHOWN: Final = 20


def plan_text(report: RebuildReport) -> str:
    """Return what was read and what differs from it."""
    blocks = (
        _read(report),
        rules_lines(report.rules),
        _recompute(report),
        _drift_lines(report),
        _findings(report),
        lines_of_unfinished(report.unfinished),
    )
    return "\n".join(line for block in blocks for line in block)


def result_text(report: RebuildReport) -> str:
    """Return what was done, where the report is, how to undo it."""
    return "\n".join([*_outcome(report), *_closing(report)])


def export_text(report: RebuildReport) -> str:
    """Return what was exported."""
    lines = [*_read(report), *_cut_off(report), *_findings(report)]
    lines.append(
        label_line("exported", f"{report.derived[0].inserted:,} snapshots to {report.out}")
    )
    return "\n".join(lines)


def _read(report: RebuildReport) -> Iterator[str]:
    if report.evidence:
        size = f"{report.evidence_bytes / 1e6:,.1f} MB, copied and hashed"
        yield label_line("evidence", f"{size}   {report.evidence}")
    part = ", only part of them checked" if report.narrowed else ""
    yield label_line(
        "read", f"{report.observations:,} observations, {report.entities:,} entities{part}"
    )


def _recompute(report: RebuildReport) -> Iterator[str]:
    header = ("", "as stored", "missing", "stale", "wrong count", "unexpected")
    rows = [
        (
            derived.table,
            f"{derived.unchanged:,}",
            f"{drift.missing:,}",
            f"{drift.stale:,}",
            f"{drift.wrong_count:,}",
            f"{drift.unexpected:,}",
        )
        for derived, drift in zip(report.derived, report.drift, strict=True)
    ]
    lines = fit_columns([header, *rows], right=range(1, 6), indent=LABELLED)
    yield label_line("snapshots", lines[0])
    yield from (label_line("", line) for line in lines[1:])


def _drift_lines(report: RebuildReport) -> Iterator[str]:
    if not report.drifts:
        return
    yield label_line("drift", f"{report.drifts:,} snapshots; all of them: {report.drift_file}")
    yield from (label_line("", line) for line in _reasons(report))
    kinds: dict[tuple[str, str], list[DriftItem]] = {}
    for item in report.drifted:
        kinds.setdefault((item.table, item.kind), []).append(item)
    each = max(1, _SHOWN // len(kinds))
    shown = [item for items in kinds.values() for item in items[:each]]
    rows = [(item.kind, item.id, item.type or "", _what(item)) for item in shown]
    yield from (label_line("", line) for line in fit_columns(rows, (), LABELLED))
    if len(shown) < report.drifts:
        yield label_line("", f"and {report.drifts - len(shown):,} more")


def _reasons(report: RebuildReport) -> list[str]:
    """Return why snapshots drifted, most first; what nothing explains comes last."""
    reasons: Counter[str] = Counter()
    for summary in report.drift:
        reasons.update(summary.reasons)
    ordered = sorted(reasons, key=lambda reason: (reason == UNKNOWN, -reasons[reason], reason))
    return align([(f"{reasons[reason]:,}", reason) for reason in ordered], right=(0,))


def _what(item: DriftItem) -> str:
    """Return in what a snapshot differs, and why."""
    return "; ".join(filter(None, (", ".join(item.fields or item.columns), item.reason)))


def _findings(report: RebuildReport) -> Iterator[str]:
    findings = [finding for finding in report.findings if finding.kind not in KINDS]
    for finding in findings[:_SHOWN]:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")
    if len(findings) > _SHOWN:
        more = len(findings) - _SHOWN
        yield label_line("", f"and {more:,} more findings in {report.report}")


def _cut_off(report: RebuildReport) -> Iterator[str]:
    cut_off = report.cut_off
    if cut_off and (cut_off.as_of or cut_off.knowledge):
        what = cut_off_words(cut_off.as_of, cut_off.knowledge)
        yield label_line("as of", f"{cut_off.observations:,} observations {what}")


def _outcome(report: RebuildReport) -> Iterator[str]:
    if report.outcome == "unchanged":
        yield label_line("unchanged", "every snapshot is what the log says")
        yield from lines_of_unfinished(report.unfinished)
    elif report.outcome == "checked":
        yield label_line("checked", _verdict(report))
    elif report.outcome == "rebuilt":
        names = ", ".join(check.name for check in report.checks)
        seconds = report.seconds.get("publish", 0.0)
        written = f"{report.writes:,} rows in one transaction, {seconds:.1f} s"
        yield label_line("rebuilt", f"{written}; {names}: all pass")


def _verdict(report: RebuildReport) -> str:
    older = sum(summary.older_rules for summary in report.drift)
    beside = f"; {older:,} match other rules of Neotoma" if older else ""
    if not report.drifts:
        return f"no drift{beside}"
    explained = report.drifts - report.unexplained
    return (
        f"{report.drifts:,} snapshots differ from the log: Neotoma left {explained:,} so, "
        f"{report.unexplained:,} for no known reason{beside}"
    )


def _closing(report: RebuildReport) -> Iterator[str]:
    yield label_line("report", report.report)
    if report.page:
        yield label_line("page", report.page)
    if report.undo:
        yield from undo_lines(report.undo)
