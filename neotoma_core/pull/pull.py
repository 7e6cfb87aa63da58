"""Pulling: what other machines pushed, merged into the database of this one.

own archive brought up to date → log of each other machine → copy of it → which version of a row is
the newer one → recovery, with its proofs and its undo → what others erased

Ledgers come before rows: what another machine erased does not come from any copy, and what the
database still holds of it is erased once the recovery is done.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive.append import ArchiveRequest, append_database, default_archive
from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import Archive, open_archive
from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.report import ErasureReport
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.files.keys import KeySource
from neotoma_core.guard.guard import UNATTENDED, Guard
from neotoma_core.ledger.file import keep_foreign_ledger, read_erased
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.pull.decisions import decide_versions
from neotoma_core.pull.report import PullReport
from neotoma_core.pull.sources import CopyRequest, remote_copies
from neotoma_core.recovery.recover import plan_only, recover
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.remotes.copies import RemoteCopy
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.own import own_archive, own_log
from neotoma_core.remotes.remote import Remote, read_logs
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import ARCHIVED, ARCHIVED_AT, REMOVED, ROW_HASH, key_of
from neotoma_core.row_versions.versions import standing
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.private_copy import private_copy

Decided = tuple[tuple[str, str, str, str], ...]
"""(backup's label, table, key, side that is kept) of rows that differ."""

POLICY: Final = MergePolicy("keep-target", "keep-earliest")
"""Of an observation that was sent again, both machines keep the earliest."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What the user asked for. ``other_database``: whatever else the remote holds."""

    copying: CopyRequest
    key: KeySource | None = None
    other_database: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked: before rows are merged, before rows are erased, before nearly all are lost."""

    merge: Callable[[RecoveryReport], bool]
    erase: Callable[[ErasureReport], bool]
    guard: Guard = UNATTENDED


def plan_pull(
    request: PullRequest, remote: Remote, now: datetime, progress: Progress
) -> PullReport:
    """Report what a pull would merge; the target is left alone. Raises what ``pull`` does.

    What others erased is learnt, so that the plan leaves it out.
    """
    return _pull(request, remote, now, None, progress)


def pull(
    request: PullRequest, remote: Remote, now: datetime, asking: Asking, progress: Progress
) -> PullReport:
    """Merge what other machines pushed, and erase what they erased.

    Raises what a recovery and an erasure raise, RemoteDamaged, IdentityMissing, IdentityWrong, and
    what a store raises.
    """
    return _pull(request, remote, now, asking, progress)


def _pull(
    request: PullRequest, remote: Remote, now: datetime, asking: Asking | None, progress: Progress
) -> PullReport:
    copying = request.copying
    others = others_of(read_logs(remote), copying.vault)
    if not others:
        return PullReport(remote.name, (), None, None)
    _refresh_archive(request, now, progress)
    for writer, log in others.items():
        keep_foreign_ledger(copying.vault, writer, log.erasures)
    copying = replace(copying, keeps_parts=True)
    with remote_copies(copying, remote, others, progress) as copies:
        decided = _decide(copying.vault, copies)
        merged = _merge(request, copies, decided, now, asking, progress)
    writers = tuple(copy.writer for copy in copies)
    erased = None
    if asking is not None and merged.outcome != "planned":
        erased = _erase(request, now, asking, progress)
    return PullReport(remote.name, writers, merged, erased)


def _merge(  # noqa: PLR0913, PLR0917 - what, from where, and who is asked
    request: PullRequest,
    copies: Sequence[RemoteCopy],
    decided: Decided,
    now: datetime,
    asking: Asking | None,
    progress: Progress,
) -> RecoveryReport:
    copying = request.copying
    asked = RecoverRequest(
        copying.target,
        tuple(copy.archive for copy in copies),
        copying.vault,
        POLICY,
        allow_environment_mismatch=request.other_database,
        key=request.key,
        decided=decided,
        archived=True,
        raw_storage=copying.raw_storage,
    )
    with recovery_run(asked, now) as run:
        if asking is None:
            return plan_only(run, progress)
        return recover(run, asking.merge, progress, asking.guard)


def _erase(
    request: PullRequest, now: datetime, asking: Asking, progress: Progress
) -> ErasureReport | None:
    """Erase what the target holds of what any ledger names; None where it holds nothing of it."""
    copying = request.copying
    if not read_erased(copying.vault) or not copying.target.exists():
        return None
    asked = EraseRequest(
        copying.target,
        copying.vault,
        again=True,
        key=request.key,
        raw_storage=copying.raw_storage,
    )
    with erase_run(asked, now) as run:
        report = erase(run, asking.erase, progress, asking.guard)
    return None if report.outcome == "unchanged" else report


def others_of(logs: Mapping[str, Log], vault: Path) -> dict[str, Log]:
    """Return the logs that are not the one which a vault's own archive continues.

    One that it continued before it was put back to an older copy of itself is among them: it may
    have rows that are nowhere else.
    """
    own = own_log(vault, logs, own_archive(vault)).writer
    return {writer: log for writer, log in logs.items() if writer != own}


def _refresh_archive(request: PullRequest, now: datetime, progress: Progress) -> None:
    """Archive what is new in the database, so that its history says which versions it had."""
    copying = request.copying
    if copying.target.exists():
        where = Whereabouts(copying.target, copying.vault, request.key)
        with private_copy(where, now) as copy:
            append_database(copy, ArchiveRequest(default_archive(copying.vault)), progress)


def _decide(vault: Path, copies: Sequence[RemoteCopy]) -> Decided:
    """Decide which version of each differing row is kept, as a recovery takes it.

    A copy is named as the recovery names it: by its place among the copies.
    """
    own = own_archive(vault)
    if own is None:
        return ()
    return tuple(
        (f"backup-{number}", table, key, keep)
        for number, copy in enumerate(copies, start=1)
        for table, key, keep in _find_decided(own, open_archive(copy.archive))
    )


def _find_decided(own: Archive, other: Archive) -> Iterator[tuple[str, str, str]]:
    for table in ARCHIVED:
        ours, theirs = _versions(own, table.name), _versions(other, table.name)
        decided = decide_versions(ours.standing, theirs.standing, ours.history, theirs.history)
        for key, keep in decided.iter_rows():
            yield table.name, key, keep


@dataclass(frozen=True, slots=True)
class _Versions:
    """The versions (key, _row_hash) of one table of a log: those that stand, all it ever had."""

    standing: pl.DataFrame
    history: pl.DataFrame


def _versions(archive: Archive, table: str) -> _Versions:
    key = key_of(table)
    rows = read_table(archive, table, (key, ROW_HASH, ARCHIVED_AT)).require_whole()
    removed = read_table(archive, REMOVED, ("table", ROW_HASH, ARCHIVED_AT)).require_whole()
    stands = standing(rows, removed.filter(pl.col("table") == table), key)
    named = pl.col(key).alias("key")
    return _Versions(stands.select(named, ROW_HASH), rows.select(named, ROW_HASH))
