"""A recovery report as text for a terminal: numbers line up, one subject per block."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from neotoma_core.merge.accounting import CLASSES, RowCounts
from neotoma_core.recovery.report import Contents, RecoveryReport
from neotoma_core.recovery.run.composition_text import composition_lines
from neotoma_core.report.layout import (
    GAP,
    LABELLED,
    align,
    days,
    fit_columns,
    label_line,
    undo_lines,
)
from neotoma_core.snapshots.rules_report import rules_lines
from neotoma_core.words.shell_words import midden_command

_TITLES: Final = {"reingested": "re-ingested", "three_way": "three-way"}
_FIRST_CLASSES: Final = ("inserted", "identical", "conflict", "reingested")


def plan_text(report: RecoveryReport) -> str:
    """Return the plan: evidence, what each backup holds and adds, every table accounted for."""
    blocks = (
        composition_lines(report.composition),
        _ruin(report),
        _evidence(report),
        _backups(report),
        _plan(report),
        _conflicts(report),
        rules_lines(report.rules),
        _snapshot_lines(report),
        _raw_files(report),
        _notes(report),
    )
    return "\n".join(line for block in blocks for line in block)


def result_text(report: RecoveryReport) -> str:
    """Return what was done: the proof, before and after, where the report is, how to undo it."""
    return "\n".join(
        line
        for block in (_publication_lines(report), _contents(report), _closing(report))
        for line in block
    )


def _ruin(report: RecoveryReport) -> Iterator[str]:
    ruin = report.ruin
    if ruin is None:
        return
    yield label_line(ruin.state, f"{report.target}: {ruin.problem.removeprefix(ruin.state + ': ')}")
    saved = f"what can be read of it is used ({ruin.salvaged})" if ruin.salvaged else "no row left"
    yield label_line("", f"{saved}; it is kept as evidence, and a new file takes its place")
    if ruin.advice:
        yield label_line("", ruin.advice)


def _evidence(report: RecoveryReport) -> Iterator[str]:
    evidence = report.evidence
    raw = f", {evidence.raw_files:,} raw files hashed" if evidence.raw_files else ""
    size = f"{evidence.bytes / 1e6:,.1f} MB"
    copied = f"{evidence.databases} databases, {size}, copied and hashed{raw}"
    yield label_line("evidence", f"{copied}{GAP}{evidence.folder}".rstrip())


def _backups(report: RecoveryReport) -> Iterator[str]:
    rows = [
        (
            backup.path,
            f"{backup.observations:,} observations",
            days(backup.first, backup.last),
            f"adds {backup.adds:,}",
        )
        for backup in report.backups
    ]
    labels = [backup.label.replace("-", " ") for backup in report.backups]
    for label, line in zip(labels, align(rows, right=(1, 3)), strict=True):
        yield label_line(label, line)
    for unused in report.not_used:
        yield label_line("not used", f"{unused.path}: {unused.reason}")


def _plan(report: RecoveryReport) -> Iterator[str]:
    merged = [counts for counts in report.tables if counts.read > counts.skipped]
    further = [n for n in CLASSES if n not in _FIRST_CLASSES and any(getattr(c, n) for c in merged)]
    classes = (*_FIRST_CLASSES, *further)
    header = (report.mode, "", "read", *(_TITLES.get(name, name) for name in classes))
    rows: list[Sequence[str]] = [header]
    for counts in merged:
        if counts.read:
            numbers = (f"{getattr(counts, name):,}" for name in classes)
            rows.append((counts.table, _label(report, counts), f"{counts.read:,}", *numbers))
    lines = fit_columns(rows, right=range(2, len(header)), indent=LABELLED)
    yield label_line("plan", lines[0])
    yield from (label_line("", line) for line in lines[1:])
    yield from _skip_lines(report)
    if report.quarantine:
        aside = f"{report.set_aside:,} rows could not be merged" + GAP if report.set_aside else ""
        yield label_line("quarantine", f"{aside}{report.quarantine}")


def _skip_lines(report: RecoveryReport) -> Iterator[str]:
    """Yield one line per table with rows left out and reason, all backups together."""
    rows: dict[tuple[str, str], int] = {}
    for counts in report.tables:
        for reason, skipped in counts.reasons.items():
            place = (counts.table, reason)
            rows[place] = rows.get(place, 0) + skipped
    cells = [(table, f"{read:,} rows", reason) for (table, reason), read in rows.items()]
    for number, line in enumerate(align(cells, right=(1,))):
        yield label_line("" if number else "skipped", line)


def _label(report: RecoveryReport, counts: RowCounts) -> str:
    return report.backups[counts.backup].label.replace("-", " ")


def _conflicts(report: RecoveryReport) -> Iterator[str]:
    if report.conflicts.file is None:
        return
    listing = f"{report.conflicts.rows:,} rows, {report.conflicts.undecided:,} not decided by you"
    yield label_line("conflicts", f"{listing}; all of them: {report.conflicts.file}")
    if report.conflicts.three_way:
        one_sided = f"{report.conflicts.three_way:,} rows differ only on one side since an ancestor"
        yield label_line("three-way", f"{one_sided}; that side is kept")
    rows = []
    for conflict in report.conflicts.first:
        columns = conflict["columns"]
        named = ", ".join(map(str, columns)) if isinstance(columns, list) else ""
        place = (str(conflict["backup"]), str(conflict["table"]), str(conflict["key"]))
        rows.append((*place, f"keep {conflict['keep'] or '?'} ({conflict['by']}): {named}"))
    yield from (label_line("", line) for line in fit_columns(rows, (), LABELLED))
    if report.conflicts.undecided and report.target_existed and len(report.backups) == 1:
        one = Path(report.backups[0].path)
        yield label_line("compare", f"entity by entity: {_diff(Path(report.target), one)}")
        differing = (str(c["key"]) for c in report.conflicts.first if c["table"] == "entities")
        for entity in islice(differing, 1):
            shown = midden_command("show", entity, target=Path(report.target), then=("--in", one))
            yield label_line("show", f"an entity as the backup has it: {shown}")


def _diff(before: Path, after: Path) -> str:
    return midden_command("diff", before, after, target=None)


def _snapshot_lines(report: RecoveryReport) -> Iterator[str]:
    header = ("", "added", "changed", "removed", "unchanged")
    rows = [
        (d.table, f"{d.inserted:,}", f"{d.updated:,}", f"{d.removed:,}", f"{d.unchanged:,}")
        for d in report.derived
    ]
    lines = fit_columns([header, *rows], right=range(1, 5), indent=LABELLED)
    yield label_line("recompute", lines[0])
    yield from (label_line("", line) for line in lines[1:])


def _raw_files(report: RecoveryReport) -> Iterator[str]:
    raw = report.raw_files
    verb = "added" if report.outcome == "published" else "to add"
    if raw.added or raw.repaired:
        size = f"{raw.added_bytes / 1e6:,.1f} MB"
        repaired = f", {len(raw.repaired):,} repaired" if raw.repaired else ""
        yield label_line("raw files", f"{raw.added:,} {verb}, {size}{repaired}")
    if raw.missing:
        lost = f"{len(raw.missing):,} that the database names are in none of these copies"
        yield label_line("raw files", f"{lost}; the report lists them")
    if raw.damaged:
        lost = f"{len(raw.damaged):,} are damaged in every copy"
        yield label_line("raw files", f"{lost}; the report lists them")


def _notes(report: RecoveryReport) -> Iterator[str]:
    resent = report.reingested
    if resent.observations and resent.kept != "keep-earliest":
        yield label_line(
            "note",
            f"{resent.observations:,} observations were sent again and look newer than they are;",
        )
        values = "older" if report.mode != "keep-source" else "other"
        yield label_line(
            "",
            f"{resent.entities_differ:,} entities would show {values} values. "
            "Compare: --reingested keep-earliest --dry-run",
        )
        if resent.file:
            yield label_line("", f"which: {resent.file}")
    elif resent.observations:
        yield label_line(
            "note",
            f"{resent.observations:,} observations were sent again; each keeps its earliest time, "
            f"which changes {resent.entities_differ:,} entities",
        )
    for finding in report.findings[:10]:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")
    if len(report.findings) > 10:  # noqa: PLR2004 - as many as fit; the report has them all
        yield label_line("", f"and {len(report.findings) - 10:,} more findings in {report.report}")


def _publication_lines(report: RecoveryReport) -> Iterator[str]:
    for finding in report.findings:
        if finding.kind == "archive-failed":
            yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")
    if report.outcome == "unchanged":
        every = "every row that can be merged" if report.set_aside else "every row"
        yield label_line("unchanged", f"nothing to add: the target already has {every}")
        return
    names = ", ".join(check.name for check in report.checks)
    seconds = report.seconds.get("transaction", 0.0)
    aside = f"; {report.set_aside:,} rows could not be merged" if report.set_aside else ""
    yield label_line("published", f"one transaction, {seconds:.1f} s; {names}: all pass{aside}")


def _contents(report: RecoveryReport) -> Iterator[str]:
    rows = [
        ("", "before", "after"),
        *_numbers(report.before, report.after),
        (
            "activity",
            days(report.before.first, report.before.last),
            days(report.after.first, report.after.last),
        ),
    ]
    yield from (f"  {line}".rstrip() for line in align(rows, right=(1, 2)))


def _numbers(before: Contents, after: Contents) -> Iterator[tuple[str, str, str]]:
    for name in ("observations", "entities", "entity_snapshots", "relationship_snapshots"):
        title = name.replace("_", " ")
        yield title, f"{getattr(before, name):,}", f"{getattr(after, name):,}"


def _closing(report: RecoveryReport) -> Iterator[str]:
    if report.archived:
        appended = f"{report.archived.appended:,} versions of rows appended"
        yield label_line("archive", f"{appended}{GAP}{report.archived.archive}")
    if report.backup:
        yield label_line("backup", f"{report.backup}, verified, of what was overwritten")
    if report.evidence.folder and report.target_existed and report.ruin is None:
        before, after = Path(report.evidence.folder), Path(report.target)
        yield label_line("compare", f"with what it was: {_diff(before, after)}")
    yield label_line("report", report.report)
    if report.page:
        yield label_line("page", report.page)
    if report.outcome == "published" and report.next:
        yield label_line("next", f"so that it cannot happen again: {report.next}")
    if report.undo:
        yield from undo_lines(report.undo)
