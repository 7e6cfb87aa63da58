"""The report of ``midden forget`` as text for a terminal."""

from collections.abc import Iterator

from neotoma_core.forget.report import ForgetReport, RewrittenBackup
from neotoma_core.report.layout import label_line


def plan_text(report: ForgetReport) -> str:
    """Return which backups hold what was erased, and what becomes of each."""
    lines = [label_line("looked at", f"{report.looked_at:,} backups")]
    lines += [label_line("holds it", f"{one.backup}: {_count_held(one)}") for one in report.holding]
    if not report.holding:
        lines.append(label_line("clean", "no backup that can be read holds what was erased"))
    lines += _unknown(report)
    if report.holding:
        lines.append(label_line("plan", "each is rewritten without it, drilled, then removed"))
        lines.append(label_line("no undo", "what is left out of a backup cannot be brought back"))
    return "\n".join(lines)


def result_text(report: ForgetReport) -> str:
    """Return what was done, and what could not be."""
    if not report.holding:
        return plan_text(report)
    lines = []
    for one in report.holding:
        if one.new:
            lines.append(
                label_line("rewritten", f"{one.new}, verified, without {_count_held(one)}")
            )
        if one.kept_because:
            lines.append(label_line("NOT DONE", f"{one.backup} stays: {one.kept_because}"))
    lines += _unknown(report)
    if report.blobs_removed:
        lines.append(label_line("raw files", f"{report.blobs_removed:,} removed"))
    lines.append(label_line("elsewhere", "to list what else still holds what was erased:"))
    lines.append(label_line("", report.further))
    return "\n".join(lines)


def _count_held(one: RewrittenBackup) -> str:
    counts = {"rows": one.rows, "raw files": one.raw_files, "logs": one.logs}
    return ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)


def _unknown(report: ForgetReport) -> Iterator[str]:
    for one in report.unknown:
        yield label_line("NOT DONE", f"{one.backup}: {one.why}; to remove it:")
        yield label_line("", one.remove)
