"""Proving a remote: every object read, every log rebuilt, its own log compared with the database.

what it says of itself → entries → objects listed → contents read → logs rebuilt in scratch →
compared with the local database

What is wrong is a finding, and everything else is looked at all the same. It fails where anything
is not what was written, and is inconclusive where not all could be looked at. What differs from the
local database is not a fault of the remote, unless it was pushed.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Literal

from neotoma_core.archive_tables.database import Selection, build_database
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.errors import (
    ArchiveError,
    KeyMissing,
    KeyWrong,
    RemoteDamaged,
    VerificationFailed,
)
from neotoma_core.files.keys import KeySource
from neotoma_core.files.private import make_folders
from neotoma_core.files.scratch import scratch_in
from neotoma_core.offsite.comparing import (
    SnapshotsCompared,
    TableCompared,
    compare_rows,
    compare_snapshots,
    differences,
    snapshot_differences,
)
from neotoma_core.offsite.contents import ReadContents, read_contents
from neotoma_core.offsite.entries import ReadLogs, check_description, read_all_logs
from neotoma_core.offsite.objects import (
    Named,
    find_named_objects,
    find_unnamed_objects,
    missing_objects,
)
from neotoma_core.offsite.verify_report import WRONG, RemoteVerification, VerifiedLog
from neotoma_core.remotes.copies import copy_log
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.own import own_archive, own_log
from neotoma_core.remotes.remote import Remote
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.private_copy import private_copy

Outcome = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class VerifyRemoteRequest:
    """What the user asked for.

    ``target``: the database that the vault's own log is compared with, if any. ``sample``: the
    share of the contents that is read, chosen at random; None for all. ``max_duration``: no further
    content is begun after it. ``key``: of encrypted columns.
    """

    vault: Path
    target: Path | None = None
    sample: float | None = None
    max_duration: timedelta | None = None
    key: KeySource | None = None


@dataclass(slots=True)
class _Look:
    """What was found until now. ``built``: the databases that logs describe, by writer."""

    findings: list[Finding]
    built: dict[str, Path] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    compared: tuple[TableCompared, ...] | None = None
    snapshots: SnapshotsCompared | None = None


def verify_remote(
    request: VerifyRemoteRequest, remote: Remote, now: datetime, progress: Progress
) -> RemoteVerification:
    """Look at all of a remote, or at a sample of its contents.

    Raises RemoteForeign where another remote has taken its place, IdentityWrong, RemoteError,
    TargetError, VaultError, DiskFull, and what a store raises.
    """
    clock = Clock()
    make_folders(remote.cache)
    with scratch_in(remote.cache) as scratch:
        anew = replace(remote, cache=scratch)
        look = _Look(list(check_description(remote)))
        read = read_all_logs(remote)
        listed = {one.name for one in remote.store.list()}
        named = find_named_objects(remote.sealing, read.logs.values())
        look.findings += [*read.findings, *missing_objects(named, listed)]
        look.findings += find_unnamed_objects(named, sorted(listed))
        clock.lap("list")
        there = [one for name, one in sorted(named.items()) if name in listed]
        contents = _read(request, anew, there, look, progress)
        clock.lap("verify")
        _build_all(anew, read, contents, look, progress)
        clock.lap("build")
        own = _own(request, read)
        _compare(request, own, now, look, progress)
        clock.lap("compare")
    return RemoteVerification(
        outcome=_outcome(look.findings),
        remote=remote.name,
        target=str(request.target) if request.target else None,
        objects=len(listed),
        contents=len(named),
        read=len(contents.names),
        bytes=contents.bytes,
        logs=tuple(_logs(read.logs, own, look)),
        compared=look.compared,
        snapshots=look.snapshots,
        findings=tuple(dict.fromkeys(look.findings)),
        seconds=clock.seconds,
    )


def _outcome(findings: Sequence[Finding]) -> Outcome:
    kinds = {finding.kind for finding in findings}
    if kinds & WRONG:
        return "fail"
    return "inconclusive" if "not-checked" in kinds else "pass"


def _read(
    request: VerifyRemoteRequest,
    remote: Remote,
    there: list[Named],
    look: _Look,
    progress: Progress,
) -> ReadContents:
    """Read the contents that are asked for, and say what was not."""
    if not remote.sealing.opens_contents and there:
        detail = "they are encrypted and no identity was found; give it with --identity-file"
        look.findings.append(Finding("not-checked", f"{len(there):,} contents", detail))
        return ReadContents(frozenset(), 0, len(there), ())
    chosen = there
    if request.sample is not None and there:
        chosen = random.sample(there, min(len(there), ceil(len(there) * request.sample)))
    elif request.max_duration is not None:
        chosen = random.sample(there, len(there))  # so that in time every one is reached
    read = read_contents(remote, chosen, request.max_duration, progress)
    look.findings += read.findings
    if left_out := len(there) - len(chosen):
        look.findings.append(
            Finding("not-checked", f"{left_out:,} contents", "they are not in the sample")
        )
    if read.not_reached:
        subject = f"{read.not_reached:,} contents"
        look.findings.append(Finding("not-checked", subject, "not reached in the time given"))
    return read


def _build_all(
    remote: Remote, read: ReadLogs, contents: ReadContents, look: _Look, progress: Progress
) -> None:
    """Build the database that each log describes, where the log is whole and all of it was read."""
    for writer in sorted(read.whole):
        log = read.logs[writer]
        parts = find_named_objects(remote.sealing, [log]).values()
        if not contents.names.issuperset(one.name for one in parts if one.is_part):
            continue
        folder = remote.cache / f"log-{writer}"
        make_folders(folder)
        try:
            copied = copy_log(remote, log, folder, frozenset(), progress)
            archive = open_archive(copied.archive)
            built = build_database(archive, folder / "built.db", Selection(), progress)
        except RemoteDamaged as error:
            look.findings.append(Finding("log-unusable", f"log {writer}", error.wrong))
        except (ArchiveError, VerificationFailed):
            detail = "its rows do not make the database that was pushed"
            look.findings.append(Finding("log-unusable", f"log {writer}", detail))
        else:
            look.built[writer] = built.path
            look.rows[writer] = sum(built.rows.values())


def _own(request: VerifyRemoteRequest, read: ReadLogs) -> Log | None:
    """Return the log of the vault's own archive, if it is there."""
    log = own_log(request.vault, read.logs, own_archive(request.vault))
    return log if log.entries else None


def _compare(
    request: VerifyRemoteRequest, own: Log | None, now: datetime, look: _Look, progress: Progress
) -> None:
    """Compare the vault's own log with the local database, where both are at hand."""
    if request.target is None or (own is not None and own.writer not in look.built):
        return
    if own is None or not request.target.exists():
        detail = "it was never pushed" if own is None else "there is no such database"
        subject, rest = str(request.target), "the remote was compared with nothing"
        look.findings.append(Finding("not-compared", subject, f"{detail}; {rest}"))
        return
    built = look.built[own.writer]
    where = Whereabouts(request.target, request.vault, request.key)
    with private_copy(where, now) as copy:
        progress.begin("compare")
        compared = tuple(compare_rows(built, own, own_archive(request.vault), copy))
        look.compared = compared
        look.findings += [finding for table in compared for finding in differences(table)]
        try:
            look.snapshots = compare_snapshots(built, copy, progress)
        except (KeyMissing, KeyWrong):
            detail = "values are encrypted and the key was not found: snapshots were not compared"
            look.findings.append(Finding("not-checked", "snapshots", detail))
            return
    same = not any(table.only_local or table.only_remote for table in compared)
    look.findings += snapshot_differences(look.snapshots, same_rows=same)


def _logs(logs: Mapping[str, Log], own: Log | None, look: _Look) -> Iterator[VerifiedLog]:
    for writer, log in logs.items():
        yield VerifiedLog(
            writer,
            log.entries[-1].target,
            own is not None and own.writer == writer,
            len(log.entries),
            len(log.backups),
            look.rows.get(writer),
        )
