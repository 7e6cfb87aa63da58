"""Restoring a backup to a scratch place and checking what came back.

stored bytes → restored → integrity and foreign keys → counts and fingerprints → snapshots
recomputed from the log → raw files hashed

A drill fails where the backup is not what was stored, or SQLite finds more wrong with it than with
the database when the backup was taken: what was so before is a finding. Snapshots that
are not what the log says are counted: the database was so when the backup was taken, and came back
as it was. So do raw files that the database named and did not have: the backup passes, since no
drill could ever bring them back and it would never count as good, and every report of it says how
many it lacks. What could not be checked for lack of a key or space makes a drill
inconclusive.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.comparison.faults import read_faults
from neotoma_core.comparison.measuring import count_contents, fingerprint_tables
from neotoma_core.documents.stored_file import StoredFile
from neotoma_core.errors import (
    BackupError,
    DiskFull,
    KeyMissing,
    KeyWrong,
    MemoryFull,
    TargetError,
)
from neotoma_core.files.atomic import announce
from neotoma_core.files.compressed import NotIntact, check_file, decompress_file
from neotoma_core.files.failures import failure_of, naming
from neotoma_core.files.keys import KeySource
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.rebuild.rebuild import check_snapshots
from neotoma_core.rebuild.request import SnapshotRun
from neotoma_core.report.progress import Progress
from neotoma_core.runs.evidence import DatabaseEvidence
from neotoma_core.runs.run import DatabaseRef, TargetRun
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.sqlite.damage import SHOWN_PROBLEMS
from neotoma_core.sqlite.faults import is_damage, new_faults, tolerable
from neotoma_core.sqlite.inspection import inspect_database
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.vault import folder as vault
from neotoma_core.vault.backups import FOLDER, STATE, read_raw_list
from neotoma_core.vault.blobs import blob_path, digest_of, find_damaged_blobs
from neotoma_core.vault.manifests import Backup, Drill, Level, Manifest, Outcome, state_of

_RESTORED: Final = "restored.db"
_ROOM: Final = 2  # times the database: itself, and its rows in buckets


@dataclass(frozen=True, slots=True)
class DrillRules:
    """``key``: of encrypted columns, if any. ``expect_empty``: nothing in it can be right."""

    key: KeySource | None = None
    expect_empty: bool = False


@dataclass(frozen=True, slots=True)
class Drilling:
    """Where backups of a vault are drilled, by which rules, and when. ``work``: for scratch.

    ``measured``: the SHA-256 of a database that this very run has measured for its manifest. What
    comes back with the same bytes need not be measured again.
    """

    vault: Path
    work: Path
    rules: DrillRules
    now: datetime
    progress: Progress
    measured: str = ""


class _Failed(Exception):
    """What came back is not what was stored."""


@dataclass(slots=True)
class Course:
    """How far a drill has got, and how it ended."""

    scratch: Path
    level: Level = "none"
    drifted: int = 0
    outcome: Outcome = "pass"
    reasons: tuple[str, ...] = ()

    def end(self, course: Callable[[], None]) -> None:
        """Run it to its end and say how that was."""
        self.outcome, self.reasons = _outcome(course, self.scratch)

    def is_in_doubt(self, database: StoredFile) -> bool:
        """Return whether a drill that failed may have failed for another reason than the backup.

        SQLite calls a page damaged, too, that the system did not give it. Where the bytes that were
        restored are still those that were stored, what it says is asked for again; where they
        cannot be read at all, nothing is known.
        """
        if self.outcome != "fail" or self.level == "none":
            return False
        same = False

        def compare() -> None:
            nonlocal same
            same = sha256_of(self.scratch / _RESTORED) == database.plain_sha256

        outcome, reasons = _outcome(compare, self.scratch)
        if outcome != "pass":
            self.outcome, self.reasons = outcome, reasons
        return same


def drill_backup(drilling: Drilling, backup: Backup) -> Drill:
    """Restore a backup into scratch and check it; never raises for what it finds."""
    start = time.monotonic()
    scratch = drilling.work / f"drill-{backup.manifest.sequence}"
    with clear_after(scratch):
        course = _drill_once(drilling, backup, scratch)
        in_doubt = course.is_in_doubt(backup.manifest.database)
    if in_doubt:
        with clear_after(scratch):
            course = _drill_once(drilling, backup, scratch)
    return conclude(drilling, backup, course, time.monotonic() - start)


def conclude(drilling: Drilling, backup: Backup, course: Course, seconds: float) -> Drill:
    """Return the drill that went this course."""
    outcome, reasons = course.outcome, course.reasons
    if outcome == "pass" and backup.is_empty and not drilling.rules.expect_empty:
        outcome, reasons = "inconclusive", ("it is empty; pass --expect-empty if that is intended",)
    return Drill(
        drilling.now.astimezone(UTC),
        outcome,
        course.level,
        reasons,
        course.drifted,
        round(seconds, 3),
    )


def _drill_once(drilling: Drilling, backup: Backup, scratch: Path) -> Course:
    course = Course(scratch)
    course.end(lambda: _run_course(drilling, backup, scratch, course))
    return course


@contextmanager
def clear_after(scratch: Path) -> Iterator[None]:
    """Make a folder of scratch that is gone after the block."""
    scratch.mkdir(mode=0o700)
    try:
        yield
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _outcome(course: Callable[[], None], scratch: Path) -> tuple[Outcome, tuple[str, ...]]:
    """Run a drill to its end and say how that was."""
    try:
        course()
    except (NotIntact, _Failed) as error:
        return "fail", (str(error),)
    except BackupError as error:
        return "fail", (error.wrong,)
    except TargetError:
        return "fail", ("something else has the name of one of its tables",)
    except (KeyMissing, KeyWrong, DiskFull, MemoryFull) as error:
        return "inconclusive", (_hindrance(error),)
    except Exception as error:  # any library's; what is not a failure of the system is raised
        failure = failure_of(error, scratch)
        if failure is None:
            raise
        return "inconclusive", (str(failure),)
    return "pass", ()


def _hindrance(error: KeyMissing | KeyWrong | DiskFull | MemoryFull) -> str:
    """Return what kept a drill from looking."""
    if isinstance(error, KeyMissing):
        return "values are encrypted and no key was given: snapshots were not compared"
    if isinstance(error, KeyWrong):
        return "the key does not open all encrypted values: snapshots were not compared"
    if isinstance(error, DiskFull):
        return "too little free space to restore it"
    return "too little memory to restore it"


def _run_course(drilling: Drilling, backup: Backup, scratch: Path, course: Course) -> None:
    manifest = backup.manifest
    folder = drilling.vault / FOLDER / backup.name
    if backup.state_lost:
        _require_lost(folder / STATE)
    vault.require_room(scratch, _ROOM * manifest.database.plain_size)
    for file in manifest.files:
        check_file(folder, file)
    restored = scratch / _RESTORED
    decompress_file(folder, manifest.database, restored)
    announce("copy_restored", restored)
    course.level = "checksums"
    if sha256_of(restored) != drilling.measured:
        _compare(backup, restored)
    asked = _reading_of(backup, restored, scratch, drilling.rules)
    try:
        report = check_snapshots(asked, drilling.progress, (_evidence(asked.run), restored))
    except (KeyMissing, KeyWrong):
        course.level = "restored"
        raise
    course.drifted = report.drifts
    course.level = "restored"
    check_raw_files(drilling.vault, backup, scratch)
    course.level = "recomputed"


def _require_lost(state: Path) -> None:
    """Raise NotIntact where a state is not what was written, OSError where it cannot be read."""
    try:
        with naming(state):
            state_of(read_small(state))
    except FileNotFoundError:
        raise NotIntact(STATE, "missing") from None
    except ValueError:
        raise NotIntact(STATE, "not what was written") from None
    raise OSError(errno.EIO, os.strerror(errno.EIO), str(state))  # when it was listed


def _compare(backup: Backup, restored: Path) -> None:
    """Prove what came back, and compare it with the manifest, table by table."""
    manifest = backup.manifest
    with closing(connect_read_only(restored)) as connection:
        found = inspect_database(connection, Path(backup.name))
    _require_no_new_fault(manifest, restored)
    tables = {table.name: table for table in found.tables}
    fingerprints = fingerprint_tables(restored, found.tables, Path(backup.name))
    if fingerprints != dict(manifest.fingerprints):
        differing = sorted(
            name
            for name in {*fingerprints, *manifest.fingerprints}
            if fingerprints.get(name) != manifest.fingerprints.get(name)
        )
        raise _Failed(
            f"{', '.join(differing)}: the rows that came back are not those that were stored"
        )
    if count_contents(restored, tables, Path(backup.name)) != manifest.counts:
        raise _Failed("the counts that came back are not those that were stored")


def _require_no_new_fault(manifest: Manifest, restored: Path) -> None:
    """Raise where SQLite finds more wrong with what came back than with what was stored.

    For a backup of an older midden this is unknown; but its bytes, which are proven, are those it
    had. Damaged pages prove nothing, even if they were damaged before.
    """
    found = read_faults(restored)
    new = new_faults(found, tolerable(found if manifest.faults is None else manifest.faults))
    if new:
        shown = ", ".join(map(str, new[:SHOWN_PROBLEMS]))
        damaged = any(map(is_damage, new))
        raise _Failed(f"damaged: SQLite's integrity check found {shown}" if damaged else shown)


def check_raw_files(vault_folder: Path, backup: Backup, scratch: Path) -> None:
    """Hash the raw files of a backup; raises what ``Course.end`` takes for a failure."""
    names = read_raw_list(vault_folder / FOLDER / backup.name, backup.manifest, scratch)
    damaged = list(find_damaged_blobs(vault_folder, sorted({digest_of(name) for name in names})))
    if damaged:
        shown = ", ".join(str(blob_path(vault_folder, one)) for one in damaged[:SHOWN_PROBLEMS])
        more = f" and {len(damaged) - SHOWN_PROBLEMS:,} more" * (len(damaged) > SHOWN_PROBLEMS)
        wrong = f"{len(damaged):,} of {len(names):,} raw files are missing or damaged"
        raise _Failed(f"{wrong}: {shown}{more}")


def _reading_of(backup: Backup, restored: Path, scratch: Path, rules: DrillRules) -> SnapshotRun:
    """Return a run that reads the restored copy: in a vault of its own, which knows no ledger."""
    folders = vault.RunFolders(
        backup.name, scratch, scratch, scratch / vault.QUARANTINE, scratch / "report", scratch
    )
    target = DatabaseRef(TARGET, "target", restored, None)
    started = backup.manifest.taken_at
    return SnapshotRun(TargetRun(folders, restored, target, started, rules.key))


def _evidence(run: TargetRun) -> DatabaseEvidence:
    """Return the evidence of a copy that is scratch itself: nothing was copied again."""
    return DatabaseEvidence(replace(run.target), run.folders.evidence, ())
