"""An erasure's report as text for a terminal."""

from collections.abc import Iterator

from neotoma_core.erasure.report import ErasureReport
from neotoma_core.report.layout import LABELLED, fit_columns, label_line


def plan_text(report: ErasureReport) -> str:
    """Return what goes, what stays that may still mention it, and that there is no way back."""
    blocks = (
        _request_lines(report),
        _rows(report),
        _snapshot_lines(report),
        _raw_files(report),
        _remainder_lines(report),
    )
    lines = [line for block in blocks for line in block]
    lines.append(label_line("no undo", "what is erased cannot be brought back: no copy is kept"))
    return "\n".join(lines)


def result_text(report: ErasureReport) -> str:
    """Return what was done, and where the report is."""
    if report.outcome == "unchanged":
        done = label_line("unchanged", "nothing to erase: the target and the ledger are up to date")
    else:
        names = ", ".join(check.name for check in report.checks)
        passed = f"; {names}: all pass" if names else ""
        done = label_line(
            "erased",
            f"{report.rows:,} rows and {report.erased_raw_files.removed:,} raw files; "
            f"{report.recorded:,} ids recorded in the ledger{passed}",
        )
    lines = [done, *_holding_lines(report), label_line("report", report.report)]
    lines += [label_line("page", report.page)] if report.page else []
    return "\n".join(lines)


def _request_lines(report: ErasureReport) -> Iterator[str]:
    asked = report.asked
    numbers = {"entities": asked.entities, "observations": asked.observations, "users": asked.users}
    what = ", ".join(f"{number:,} {name}" for name, number in numbers.items() if number)
    merged = f", and {asked.merged:,} entities merged into them" if asked.merged else ""
    absent = f"; {asked.absent:,} of them are not in the target" if asked.absent else ""
    yield label_line("erase", f"{what or 'what the ledger names'}{merged}{absent}")


def _rows(report: ErasureReport) -> Iterator[str]:
    rows = [("", "rows", "erased")]
    rows += [(t.table, f"{t.rows:,}", f"{t.erased:,}") for t in report.erasures if t.erased]
    lines = fit_columns(rows, right=(1, 2), indent=LABELLED)
    if len(lines) == 1:
        lines = ["no row of the target"]
    for number, line in enumerate(lines):
        yield label_line("" if number else "plan", line)


def _snapshot_lines(report: ErasureReport) -> Iterator[str]:
    changed = [d for d in report.derived if d.inserted or d.updated or d.removed]
    for number, d in enumerate(changed):
        done = f"{d.inserted + d.updated:,} rewritten, {d.removed:,} removed"
        yield label_line("" if number else "recompute", f"{d.table}: {done}")


def _raw_files(report: ErasureReport) -> Iterator[str]:
    raw = report.erased_raw_files
    if raw.removed:
        yield label_line("raw files", f"{raw.removed:,}, {raw.removed_bytes / 1e6:,.1f} MB")


def _remainder_lines(report: ErasureReport) -> Iterator[str]:
    for finding in report.findings:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")
    yield from _holding_lines(report)


def _holding_lines(report: ErasureReport) -> Iterator[str]:
    for number, evidence in enumerate(report.holding):
        if not number:
            yield label_line("still held", "a restore leaves out what was erased; these still hold")
            yield label_line("", "it until you remove them. Take a new backup first:")
            yield label_line("", report.back_up)
        yield label_line("", evidence.remove)
    if report.forget:
        yield label_line("or", "rewrite the backups without it, instead of removing them:")
        yield label_line("", report.forget)
