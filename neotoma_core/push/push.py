"""Pushing what is new in a database, its raw files and its backups to a remote.

copy one instant → archive in the vault → compare with the log on the remote → contents → entries

What is left to do is found in the entries of the log, never in a note of what was pushed: a push
that was killed is completed by the next one, and nothing is shipped twice. The vault is held while
the database is copied and archived, not while anything is on its way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from neotoma_core.errors import MiddenError
from neotoma_core.ledger.file import read_ledger
from neotoma_core.push.backups import NewBackup, describe_backup, new_backups
from neotoma_core.push.holding import Held, alone, blank_entry, hold
from neotoma_core.push.raw_files import batches
from neotoma_core.push.report import Outcome, PushReport
from neotoma_core.push.request import PushRequest
from neotoma_core.push.rows import NewRows, write_new_rows
from neotoma_core.push.shipping import NumberTaken, Shipment, Shipper, blob_of
from neotoma_core.remotes.condemned import condemned_in
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.names import backup_folder
from neotoma_core.remotes.remote import Remote, read_logs
from neotoma_core.remotes.standing import failure_of, keep_push
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.vault.backups import list_backups
from neotoma_core.vault.blobs import blob_path
from neotoma_core.vault.last_report import keep_last

_TRIES: Final = 8


@dataclass(slots=True)
class _Sent:
    """What was shipped: versions of rows by table, how many raw files, which backups."""

    versions: Mapping[str, int] = field(default_factory=dict)
    raw_files: int = 0
    backups: list[str] = field(default_factory=list)
    erasures: int = 0


def push(request: PushRequest, remote: Remote, now: datetime, progress: Progress) -> PushReport:
    """Push what a remote lacks; an unexplained loss is held back, and what was before is pushed.

    Raises RemoteForeign where the remote is of another database, TargetError, VaultError,
    ArchiveError, and what a store raises; what was shipped by then stays, the next push goes on.
    How it went is kept next to the entries that were read, for ``midden status``.
    """
    with alone(request.vault, remote) as scratch:
        try:
            report = _try_push(request, remote, scratch, now, progress)
        except MiddenError as error:
            keep_push(remote.cache, now, failed=failure_of(error))
            raise
        keep_push(remote.cache, now, pushed=bool(report.entries), failed="; ".join(report.alarms))
        if report.outcome == "unchanged":  # as most are that follow a database
            return report
        # A page takes longer to import than a push that has nothing new to run.
        from neotoma_core.push.page import push_page  # noqa: PLC0415

        made = keep_last(request.vault, "push", report, lambda: push_page(report))
        return replace(report, page=made)


def _try_push(
    request: PushRequest, remote: Remote, scratch: Path, now: datetime, progress: Progress
) -> PushReport:
    """Push, again where another push of the same archive was first."""
    clock = Clock()
    for _ in range(_TRIES - 1):
        try:
            return _push(request, remote, scratch, now, progress, clock)
        except NumberTaken:
            continue
    return _push(request, remote, scratch, now, progress, clock)


def _push(  # noqa: PLR0913, PLR0917 - what, where to, and how it is reported
    request: PushRequest,
    remote: Remote,
    scratch: Path,
    now: datetime,
    progress: Progress,
    clock: Clock,
) -> PushReport:
    logs = read_logs(remote)
    clock.lap("list")
    held = hold(request, remote, logs, now, progress)
    clock.lap("archive")
    blank, condemned = blank_entry(request, held, now), condemned_in(logs)
    shipper = Shipper(remote, held.log, blank, scratch, progress, condemned=condemned)
    sent = _Sent()
    if held.archive is not None:
        _ship_log(request, held, shipper, sent, scratch)
    elif held.log.writer:
        _ship_ledger(request, shipper, sent)
    if request.backups and held.log.writer:
        _ship_backups(request, shipper, sent, scratch)
    clock.lap("push")
    changed: Outcome = "pushed" if shipper.entries else "unchanged"
    return PushReport(
        outcome="held" if held.alarms else changed,
        target=str(request.target),
        remote=remote.name,
        writer=held.log.writer,
        versions=sent.versions,
        raw_files=sent.raw_files,
        backups=tuple(sent.backups),
        erasures=sent.erasures,
        bytes=shipper.bytes,
        entries=shipper.entries,
        alarms=held.alarms,
        findings=held.findings,
        seconds=clock.seconds,
    )


def _ship_log(
    request: PushRequest, held: Held, shipper: Shipper, sent: _Sent, scratch: Path
) -> None:
    """Ship rows and the ledger in one entry, raw files in as many as they need."""
    assert held.archive is not None  # noqa: S101 - asked where it was archived only
    ledger = read_ledger(request.vault)  # once: rows lack what the lines that go with them name
    rows = write_new_rows(held.archive, shipper.log, scratch, ledger.erased)
    lines = ledger.lines[len(shipper.log.erasures) :]
    groups = batches(held.raw_files)
    if rows.parts or lines:
        first = groups.pop(0) if len(groups) == 1 else {}
        shipments = [
            *shipments_of(shipper.remote, rows),
            *raw_shipments(request.vault, shipper.remote, first),
        ]
        parts = tuple(part for part, _ in rows.parts)
        shipper.ship(shipments, parts=parts, tables=rows.tables, raw_files=first, erasures=lines)
    for group in groups:
        shipper.ship(raw_shipments(request.vault, shipper.remote, group), raw_files=group)
    sent.versions, sent.erasures = rows.versions, len(lines)
    sent.raw_files = len(held.raw_files)
    for _, path in rows.parts:
        path.unlink()


def _ship_ledger(request: PushRequest, shipper: Shipper, sent: _Sent) -> None:
    """Ship what was erased: it is erased everywhere, whatever else is held back."""
    lines = read_ledger(request.vault).lines[len(shipper.log.erasures) :]
    if lines:
        shipper.ship([], erasures=lines)
    sent.erasures = len(lines)


def _ship_backups(request: PushRequest, shipper: Shipper, sent: _Sent, scratch: Path) -> None:
    """Ship the good backups that are not there, oldest first, each with its raw files."""
    backups = list_backups(request.vault).backups
    for backup in new_backups(backups, shipper.log):
        found = describe_backup(request.vault, backup, scratch)
        if found is None:
            continue  # `midden verify` names what is wrong with it
        shipped = shipper.log.raw_files
        raw = {name: size for name, size in found.raw_files.items() if name not in shipped}
        for group in batches(raw):
            shipper.ship(raw_shipments(request.vault, shipper.remote, group), raw_files=group)
        shipper.ship(_files(shipper.remote, shipper.log, found), backups=(found.shipped,))
        sent.backups.append(backup.name)
        sent.raw_files += len(raw)


def shipments_of(remote: Remote, rows: NewRows) -> list[Shipment]:
    """Return the shipments of the parts of a log."""
    return [
        blob_of(remote, part.content.sha256, path, part.content.size) for part, path in rows.parts
    ]


def raw_shipments(vault: Path, remote: Remote, sizes: Mapping[str, int]) -> list[Shipment]:
    """Return the shipments of raw files that a vault keeps, sizes by name."""
    digests = {name.rpartition("/")[2]: size for name, size in sizes.items()}
    return [
        blob_of(remote, digest, blob_path(vault, digest), size) for digest, size in digests.items()
    ]


def _files(remote: Remote, log: Log, backup: NewBackup) -> list[Shipment]:
    folder = backup_folder(log.writer, backup.shipped.name)
    return [
        Shipment(folder + remote.sealing.name_of(content.sha256), backup.files[name], content.size)
        for name, content in backup.shipped.files.items()
    ]
