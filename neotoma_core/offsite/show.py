"""What a remote holds, by what its entries say: no content is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from neotoma_core.remotes.log import Log
from neotoma_core.remotes.remote import Remote, read_logs
from neotoma_core.report.document import document
from neotoma_core.report.layout import label_line

_SHORT = 8


@dataclass(frozen=True, slots=True)
class LogShown:
    """One log: its database and machine, and what it holds.

    ``observations``: in the database when it was pushed last; ``versions``: of rows of all tables.
    """

    writer: str
    target: str
    pushed_at: datetime
    entries: int
    observations: int | None
    versions: int
    raw_files: int
    backups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteReport:
    """What a remote holds. ``reads``: whether the identity at hand opens its contents."""

    name: str
    url: str
    encrypted: bool
    recipients: tuple[str, ...]
    reads: bool
    logs: tuple[LogShown, ...]

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def describe_remote(remote: Remote) -> RemoteReport:
    """Return what a remote holds; raises RemoteDamaged, and what a store raises."""
    logs = read_logs(remote)
    return RemoteReport(
        remote.name,
        remote.store.url,
        not remote.sealing.is_plain,
        remote.sealing.recipients,
        remote.sealing.opens_contents,
        tuple(_show_log(log) for log in logs.values()),
    )


def _show_log(log: Log) -> LogShown:
    last = log.entries[-1]
    counted = [entry.counts.observations for entry in log.entries if entry.counts is not None]
    return LogShown(
        log.writer,
        last.target,
        last.at,
        len(log.entries),
        counted[-1] if counted else None,
        sum(state.rows for state in log.tables.values()),
        len(log.raw_files),
        tuple(log.backups),
    )


def remote_text(report: RemoteReport) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: RemoteReport) -> Iterator[str]:
    kept = "encrypted" if report.encrypted else "not encrypted"
    yield label_line(report.name, f"{report.url}, {kept}")
    for recipient in report.recipients:
        yield label_line("for", recipient)
    if not report.reads:
        yield label_line("identity", "not on this machine: contents cannot be read")
    for log in report.logs:
        observations = "" if log.observations is None else f"{log.observations:,} observations, "
        when = log.pushed_at.isoformat(sep=" ", timespec="seconds")
        yield label_line("log", f"{log.writer[:_SHORT]}, of {log.target}, pushed {when}")
        yield label_line(
            "", f"{observations}{log.versions:,} versions of rows, {log.raw_files:,} raw files"
        )
        for name in log.backups:
            yield label_line("backup", name)
    if not report.logs:
        yield label_line("empty", "nothing was pushed yet")
