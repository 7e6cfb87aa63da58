"""The vault: the folder Midden owns, one per protected database.

::

    vault.json            format version, which database it protects, how long the ledger is
    erasures.jsonl        salted hashes of erased ids (see ``ledger/file.py``)
    ledgers/<writer>/     ledgers of other machines with the same memory, as in a vault of theirs
    remotes.json          the remotes it is pushed to (see ``remotes/known.py``)
    remotes/<remote>/     entries that were read of them (see ``remotes/remote.py``), and scratch
    remotes/archive-<id>/ the mirror of an archive on a store (see ``archive_mirror/mirror.py``)
    lock                  held by the run that is using the vault
    backups/<backup>/     one self-contained copy each (see ``vault/backups.py``)
    blobs/ab/<sha256>     raw files of all backups (see ``vault/blobs.py``)
    evidence/<run>/       copies taken before a recovery, with checksums, and what a database that
                          is gone left (left-behind/); manifest.json last. An unfinished run's is
                          marked by an empty file, .unfinished
    quarantine/<run>/     rows that could not be merged, with reasons
    reports/<run>/        report.json and its page, conflicts and what was sent again
    reports/last-<kind>/  report and page of the last routine run (see ``vault/last_report.py``)
    agents/               what agents asked, and plans that wait for a yes (see ``agents/plans.py``)
    archive/              the log as versions of rows (see ``archive_tables/tables.py``)
    work/<run>/           scratch of a run; nobody's once the lock is free

Invariant: what has no manifest does not exist. Nothing but ``work`` is deleted here, except by
``midden prune``: backups that its plan names, and blobs that no backup names any longer; and what
an unfinished run left and other evidence has too (see ``vault/leftovers.py``).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.documents.document import document_of
from neotoma_core.documents.models import NotAsModelled, is_newer
from neotoma_core.errors import DiskFull, VaultDamaged, VaultError, VaultLocked, reason_of
from neotoma_core.files.atomic import write_file
from neotoma_core.files.locking import exclusive, is_held
from neotoma_core.files.private import make_folders, make_private
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.json import JsonValue, stringify
from neotoma_core.vault import noted
from neotoma_core.vault.documents import Description, description_of

FORMAT: Final = 1
DESCRIPTION: Final = noted.DESCRIPTION
UNFINISHED: Final = ".unfinished"
LOCK: Final = "lock"
BACKUPS: Final = "backups"
BLOBS: Final = "blobs"
EVIDENCE: Final = "evidence"
QUARANTINE: Final = "quarantine"
REPORTS: Final = "reports"
ARCHIVE: Final = "archive"
AGENTS: Final = "agents"
WORK: Final = "work"
_PLACES: Final = "exports_and_archives"
_FIRST_SECONDS: Final = 600.0  # for another first run, which may be in the vault by then
_ID_BYTES: Final = 8
_OF_BACKUP: Final = "*/state.json"  # which Neotoma's own backups lack
_CHOOSE: Final = "choose another folder with --vault"
WITH_ERASURES: Final = 2  # so that a midden that knows no ledger does not pass it over


@dataclass(frozen=True, slots=True)
class RunFolders:
    """The folders of one run. ``name`` is its moment of start, UTC."""

    name: str
    vault: Path
    evidence: Path
    quarantine: Path
    report: Path
    work: Path


def require_there(vault: Path, protects: Path) -> None:
    """Raise VaultAbsent where a vault was made there and is gone, VaultError for a file."""
    absent = noted.absent_vault(vault, protects)
    if absent is not None:
        raise absent
    require_folder(vault)


def require_folder(vault: Path) -> None:
    """Raise VaultError where something that is not a folder is in the place of a vault."""
    if vault.exists() and not vault.is_dir():
        raise VaultError(vault, "not a folder", _CHOOSE)


def open_vault(vault: Path, protects: Path) -> None:
    """Make ``vault`` a vault if it is not one yet; raises VaultError where it cannot be one.

    Raises VaultAbsent, before anything is made, where one was made there and is gone.
    """
    require_there(vault, protects)
    try:
        make_folders(vault)
    except OSError as error:
        raise VaultError(vault, reason_of(error), _CHOOSE) from error
    require_folder(vault)
    description = vault / DESCRIPTION
    if description.exists():
        _describe(description)
        make_private(vault)
        noted.note_vault(vault)
        return
    require_described(vault)
    _require_empty(vault)
    # Of two first runs at once one makes it: the other must not write over what it knows by then.
    with exclusive(vault / LOCK, _FIRST_SECONDS, lambda: VaultLocked(vault)):
        if not description.exists():
            _require_empty(vault)
            make_private(vault)
            write_json(description, {"format": FORMAT, "protects": str(protects)})
    noted.note_vault(vault)


def _require_empty(vault: Path) -> None:
    """Raise VaultError where a folder holds what is not of a vault that was made just now.

    A run killed while it wrote the description leaves a hidden temporary file, and its lock.
    """
    others = any(not path.name.startswith(".") and path.name != LOCK for path in vault.iterdir())
    if others and not (vault / DESCRIPTION).exists():
        raise VaultError(
            vault, "the folder holds other files", "choose an empty folder with --vault"
        )


def require_described(vault: Path) -> None:
    """Raise VaultDamaged where a folder holds what only a vault does, without its description."""
    if (vault / DESCRIPTION).exists():
        return
    for state in sorted((vault / BACKUPS).glob(_OF_BACKUP)):
        use = f"name a backup in it, like {state.parent}, and another folder with --vault"
        advice = f"restore it from a copy of the vault, or {use}"
        raise VaultDamaged(vault / DESCRIPTION, "missing, but the folder was a vault", advice)


@contextmanager
def lock_vault(vault: Path, patience: float = 0.0) -> Iterator[None]:
    """Keep other runs out of the vault; wait ``patience`` seconds for one that is in it.

    The scratch that a killed run left is removed here. Raises VaultLocked.
    """
    with exclusive(vault / LOCK, patience, lambda: VaultLocked(vault)):
        _mark_unfinished(vault)
        shutil.rmtree(vault / WORK, ignore_errors=True)
        yield


def is_in_use(vault: Path) -> bool:
    """Return whether a run holds the vault now."""
    lock = vault / LOCK
    return lock.is_file() and is_held(lock)


def new_run(vault: Path, now: datetime) -> RunFolders:
    """Name a run by its start and create its evidence and scratch folders."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    name = stamp
    number = 1
    while any((vault / place / name).exists() for place in (EVIDENCE, REPORTS, WORK)):
        number += 1
        name = f"{stamp}-{number}"
    folders = RunFolders(
        name,
        vault,
        vault / EVIDENCE / name,
        vault / QUARANTINE / name,
        vault / REPORTS / name,
        vault / WORK / name,
    )
    for folder in (folders.evidence, folders.work):
        make_folders(folder)
    return folders


def remove_work(folders: RunFolders, *, finished: bool) -> None:
    """Remove the scratch of a run, and its evidence folder where no evidence was taken."""
    with suppress(OSError):  # it is not empty, or gone already
        folders.evidence.rmdir()
    if not finished:
        _mark_unfinished(folders.vault)
    shutil.rmtree(folders.work, ignore_errors=True)


def list_unfinished_runs(vault: Path) -> tuple[str, ...]:
    """Return the runs that left evidence and no report, by name; one that is under way, too."""
    marked = {path.parent.name for path in (vault / EVIDENCE).glob(f"*/{UNFINISHED}")}
    return tuple(sorted(marked | set(_without_report(vault))))


def _without_report(vault: Path) -> Iterator[str]:
    """Yield the runs that have scratch and evidence, and no report."""
    work = vault / WORK
    for scratch in () if work.is_symlink() or not work.is_dir() else work.iterdir():
        evidence = vault / EVIDENCE / scratch.name
        reported = (vault / REPORTS / scratch.name / "report.json").exists()
        if not reported and evidence.is_dir() and any(evidence.iterdir()):
            yield scratch.name


def _mark_unfinished(vault: Path) -> None:
    """Mark the evidence of runs that did not finish, which their scratch says before it goes."""
    for name in _without_report(vault):
        with suppress(OSError):  # no room, say: then it stays
            (vault / EVIDENCE / name / UNFINISHED).touch(0o600)


def read_description(vault: Path) -> Description:
    """Return what ``vault.json`` says; raises VaultDamaged, and VaultError for a newer one."""
    return _describe(vault / DESCRIPTION)[1]


def _describe(description: Path) -> tuple[dict[str, JsonValue], Description]:
    """Return a description as it is written, and what it says."""
    value = read_json(description)
    known = value.get("format") if isinstance(value, dict) else None
    if is_newer(known, WITH_ERASURES):
        raise VaultError(
            description.parent, "made by a newer midden", "update midden, or choose another --vault"
        )
    try:
        described = description_of(value)
    except NotAsModelled as error:
        wrong = f"not a description of a vault: {error}"
        raise VaultDamaged(description, wrong, "restore it from a copy of the vault") from None
    return dict(value) if isinstance(value, dict) else {}, described


def describe(vault: Path, facts: dict[str, JsonValue]) -> None:
    """Add facts to ``vault.json``, in place of what it said of them."""
    write_json(vault / DESCRIPTION, {**_describe(vault / DESCRIPTION)[0], **facts})


def remember_place(vault: Path, place: Path) -> None:
    """Note an export or archive elsewhere: an erasure says which of them still hold what goes."""
    path = str(place.absolute())
    if not place.absolute().is_relative_to(vault.absolute()):
        known = {str(one) for one in read_known_places(vault)}
        describe(vault, {_PLACES: [*sorted({*known, path})]})


def read_known_places(vault: Path) -> tuple[Path, ...]:
    """Return the exports and archives elsewhere that were made with a vault."""
    return tuple(map(Path, read_description(vault).exports_and_archives))


def identifier_of(vault: Path) -> str | None:
    """Return the random id of a vault; None where it has none yet."""
    if not (vault / DESCRIPTION).exists():
        return None
    return read_description(vault).id


def identify_vault(vault: Path) -> str:
    """Return the random id of a vault, which is given one first where it has none."""
    known = identifier_of(vault)
    if known is None:
        known = os.urandom(_ID_BYTES).hex()
        describe(vault, {"id": known})
    return known


def require_room(folder: Path, needed: int, whose: str = "vault") -> None:
    """Raise DiskFull where so many bytes do not fit into ``folder``, which is ``whose``."""
    free = free_bytes(folder)
    if free < needed:
        raise DiskFull(folder, needed, free, whose)


def free_bytes(folder: Path) -> int:
    """Return how many bytes can still be written where ``folder`` is or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def write_json(path: Path, value: JsonValue) -> None:
    """Write one JSON document atomically, creating its folder."""
    make_folders(path.parent)
    write_file(path, (stringify(value) + "\n").encode())


def read_json(path: Path) -> JsonValue:
    """Read one JSON document; raises VaultDamaged where it is not one."""
    try:
        value: JsonValue = document_of(read_small(path))
    except ValueError:
        value = None
    if value is None:
        raise VaultDamaged(path, "not a JSON document", "restore it from a copy of the vault")
    return value
