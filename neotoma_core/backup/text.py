"""Reports of backups, drills and rotation as text for a terminal."""

from collections.abc import Iterator

from neotoma_core.backup.report import (
    BackupList,
    BackupReport,
    DrillSummary,
    ListedBackup,
    PruneReport,
    VerifyReport,
)
from neotoma_core.report.layout import fit_columns, label_line
from neotoma_core.words.shell_words import quote_word

_OUTCOMES = {
    "pass": "verified",
    "fail": "FAILED",
    "inconclusive": "not verified",
}


def backup_text(report: BackupReport) -> str:
    """Return what was taken, whether it is proven, what is missing, and how to restore it."""
    return "\n".join(_backup(report))


def _backup(report: BackupReport) -> Iterator[str]:
    newest = f", newest {report.newest[:10]}" if report.newest else ""
    yield label_line("backup", report.folder)
    contents = f"{report.observations:,} observations, {report.entities:,} entities{newest}"
    yield label_line("holds", contents)
    stored = f"{report.database_bytes / 1e6:,.1f} MB as {report.stored_bytes / 1e6:,.1f} MB"
    yield label_line("stored", f"{stored}, with {report.raw_files_kept:,} raw files")
    if report.shares_with:
        yield label_line("unchanged", f"it shares its file with {report.shares_with}")
    yield from (label_line("raw files", line) for line in _raw_files(report))
    yield from (label_line("erased", line) for line in _erasure_lines(report))
    if report.drill:
        yield label_line("drill", _drill(report.drill))
    else:
        yield from (label_line("found", finding) for finding in report.findings)
        yield label_line(
            "drill", f"left out: this backup is not verified; to do it: {report.verify}"
        )
    yield from (label_line("ALARM", alarm) for alarm in report.alarms)
    if report.frozen:
        yield label_line("frozen", "no backup is removed until the loss is recovered or explained:")
        yield label_line("", report.accept)
    if report.page:
        yield label_line("page", report.page)
    yield label_line("restore", report.restore)


def _raw_files(report: BackupReport) -> Iterator[str]:
    if report.raw_files_held:
        gone = f"{report.raw_files_held:,} are no longer with the database"
        yield f"{gone}; earlier backups had them, so this one has them too"
    if report.raw_files_missing:
        folders = " and ".join(report.raw_folders)
        yield f"{report.raw_files_missing:,} that the database names are missing from {folders}"
        if not report.raw_files_kept:
            yield "if Neotoma keeps them elsewhere, set NEOTOMA_RAW_STORAGE_DIR as Neotoma does"
    if report.raw_files_damaged:
        yield f"{report.raw_files_damaged:,} are damaged, and not in this backup"


def _erasure_lines(report: BackupReport) -> Iterator[str]:
    left_out = report.erased_left_out
    if left_out.raw_files:
        yield f"{left_out.raw_files:,} raw files of what was erased are still there: left out;"
        yield f"remove them with: {report.erase_again}"
    for log in left_out.logs:
        yield f"a log names what was erased: left out; remove it with: rm {quote_word(log)}"


def _drill(drill: DrillSummary) -> str:
    said = {
        "recomputed": "restored, sound, the same rows, snapshots recomputed, raw files hashed",
        "restored": "restored, sound, the same rows",
        "checksums": "the stored bytes are intact",
        "none": "",
    }[drill.level]
    if drill.same_as:
        said = f"its database is that of {drill.same_as}, restored {drill.at[:10]}; files hashed"
    why = "; ".join(drill.reasons)
    drift = ""
    if drill.drifted:
        drift = (
            f"{drill.drifted:,} snapshots are not what the log says, as in the database "
            f"(to recompute them: {drill.rebuild})"
        )
    parts = [part for part in (said, why, drift, *drill.findings) if part]
    return f"{_OUTCOMES[drill.outcome]} in {drill.drill_seconds:,.1f} s: {'; '.join(parts)}"


def verify_text(report: VerifyReport) -> str:
    """Return one line per drill, and what was not reached."""
    lines = [label_line(drill.backup, _drill(drill)) for drill in report.drills]
    lines += [label_line(name, "not reached in the time given") for name in report.not_reached]
    lines += [label_line("NOT READ", f"{one.path}: {one.why}") for one in report.unread]
    if not lines:
        lines = [label_line("verified", "every backup was verified recently enough")]
    lines += [label_line("page", report.page)] if report.page else []
    return "\n".join(lines)


def list_text(listing: BackupList) -> str:
    """Return one line per backup, oldest first."""
    header = ("", "backup", "observations", "entities", "MB", "standing", "")
    rows = [header, *(_row(backup) for backup in listing.listed)]
    lines = fit_columns(rows, right=(0, 2, 3, 4)) if listing.listed else ["no backups"]
    lines += [label_line("strange", f"{one.path}: {one.why}") for one in listing.strange]
    if not listing.complete:
        lines.append(label_line("incomplete", "something cannot be read; no backup is removed"))
    if listing.frozen:
        lines.append(label_line("frozen", "something is missing; no backup is removed"))
    return "\n".join(lines)


def _row(backup: ListedBackup) -> tuple[str, ...]:
    notes = [] if backup.accepted is not None else [*backup.alarms[:1]]
    if notes and len(backup.alarms) > 1:
        notes[0] += f" and {len(backup.alarms) - 1} more alarms"
    lost = {"missing": backup.raw_files_missing, "damaged": backup.raw_files_damaged}
    notes += [f"{number:,} raw files {what}" for what, number in lost.items() if number]
    notes += backup.findings
    if backup.pinned is not None:
        notes.append(f"pinned: {backup.pinned}" if backup.pinned else "pinned")
    if backup.accepted is not None:
        notes.append(f"accepted: {backup.accepted}")
    if backup.rewritten_at is not None:
        notes.append(f"rewritten without what was erased, {backup.rewritten_at[:10]}")
    return (
        str(backup.number),
        backup.backup,
        f"{backup.observations:,}",
        f"{backup.entities:,}",
        f"{backup.stored_bytes / 1e6:,.1f}",
        backup.standing,
        "; ".join(notes),
    )


def prune_text(report: PruneReport) -> str:
    """Return each backup and each run's evidence, whether it stays, and why."""
    rows = [
        ("keep" if item.stays else "remove", item.backup, "; ".join(item.reasons))
        for item in report.rotation
    ]
    lines = fit_columns(rows, right=()) if rows else ["no backups"]
    lines += [label_line("strange", f"{one.path}: {one.why}; left alone") for one in report.strange]
    kept = [
        ("keep" if one.stays else "remove", one.run, "; ".join(one.reasons))
        for one in report.evidence
    ]
    if kept:
        lines += ["evidence of earlier runs", *fit_columns(kept, right=())]
    if report.held:
        lines.append(label_line("held", f"nothing is removed: {report.held}"))
    removed = f"{report.removed:,} backups, {report.removed_bytes / 1e6:,.1f} MB"
    if report.evidence_removed:
        size = f"{report.evidence_bytes / 1e6:,.1f} MB"
        removed += f", the evidence of {report.evidence_removed:,} runs, {size}"
    if report.outcome == "pruned":
        lines.append(
            label_line("removed", f"{removed} and {report.blobs_removed:,} raw files; for good")
        )
    elif report.removed or report.evidence_removed:
        lines.append(label_line("plan", f"would remove {removed}; say --apply to do it"))
    return "\n".join(lines)
