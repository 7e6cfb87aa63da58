"""The database in what a user names as a backup: a file, a folder, an archive of either.

A folder is one that holds a database, Neotoma's own backup for one, with or without its manifest;
or a backup of a vault. What has to be unpacked goes into the scratch of the run, with the raw files
that are next to the database in the archive. That is done in a process apart: whatever a file does
to what reads it, it is named.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from neotoma_core.errors import BackupUnreadable, reason_of
from neotoma_core.files.regular import no_progress
from neotoma_core.neotoma.environments import Environment, environment_of
from neotoma_core.report.layout import escape_name
from neotoma_core.salvage.declarations import mentions_neotoma
from neotoma_core.unpacking.budgets import Limits
from neotoma_core.unpacking.unpack import Unpacked
from neotoma_core.unpacking.walking import FoundFile, Walked, speaks_of_neotoma, walk
from neotoma_core.vault.neotoma_manifests import database_in_manifest
from neotoma_core.vault.stored_backup import is_vault_backup, unpack_vault_backup
from neotoma_core.workers.reading import (
    Apart,
    decompress_apart,
    unpack_apart,
    unpack_raw_files_apart,
)

T = TypeVar("T")

_WITHIN: Final = "!"  # between an archive and what is in it, as `midden find` shows it
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class NamedBackup:
    """What a user names, found: a database, a compressed file or archive, a backup of a vault.

    ``packed``: what is in it has to be unpacked; then ``member`` is what the user wants of it, if
    they said so. None where it is not packed.
    """

    path: Path
    packed: FoundFile | None = None
    member: str = ""

    @property
    def is_database(self) -> bool:
        """Whether the file itself is, or should be, the database."""
        return self.packed is None and not self.path.is_dir()


@dataclass(frozen=True, slots=True)
class OpenedBackup:
    """The database of a named backup.

    ``origin``: what it was unpacked from, None where ``path`` is the user's own file; ``member``:
    what it is called in there. ``problem``: why an archive was not unpacked to its end, if so.
    """

    path: Path
    environment: Environment | None
    origin: Path | None = None
    member: str = ""
    problem: str = ""

    @property
    def raw_places(self) -> tuple[Path, ...]:
        """The folders in which folders of its raw files may be."""
        return (self.path.parent, *((self.origin.parent,) if self.origin else ()))


def split_member(path: Path) -> tuple[Path, str]:
    """Return the file a path names and, of ``ARCHIVE!MEMBER``, the member."""
    outer, within, member = str(path).partition(_WITHIN)
    if within and not path.exists() and Path(outer).is_file():
        return Path(outer), member
    return path, ""


def find_named(path: Path, expected: Environment | None) -> NamedBackup:
    """Return what the user names; nothing is unpacked.

    ``expected``: the environment of the target, which decides where a folder holds a database of
    each. Raises BackupUnreadable where a folder holds none, or several.
    """
    file, member = split_member(path)
    if file.is_dir():
        if is_vault_backup(file):
            return NamedBackup(file)
        try:
            file = _in_folder(file, expected)
        except OSError as error:
            advice = "change its permissions, or copy it"
            raise BackupUnreadable(file, reason_of(error), advice) from error
    found = next(iter(_walk_roots([file])), None)
    is_packed = found is not None and found.kind not in ("sqlite", "none")
    return NamedBackup(file, found if is_packed else None, member)


def open_named(
    named: NamedBackup, scratch: Path, expected: Environment | None, apart: Apart
) -> OpenedBackup:
    """Return the database of what the user named; ``scratch``: a folder that is not there yet.

    Raises BackupUnreadable where there is none, or several, and BackupDamaged.
    """
    if named.is_database:
        return OpenedBackup(named.path, environment_of(named.path.name))
    if named.packed is not None:
        return _open_unpacked(named.packed, named.member, scratch, expected, apart)
    scratch.mkdir(mode=0o700)
    unpacked, environment = unpack_vault_backup(
        named.path, scratch, partial(decompress_apart, apart)
    )
    return OpenedBackup(unpacked, environment, named.path)


def _in_folder(folder: Path, expected: Environment | None) -> Path:
    """Return the database a folder holds: in itself, or else below."""
    named = database_in_manifest(folder)
    if named is not None:
        return named
    here = files_in(folder)
    plain = [found.path for found in here if found.kind == "sqlite"]
    packed = [found.path for found in here if found.kind not in ("sqlite", "none")]
    misnamed = [found.path for found in here if found.kind == "none"]
    below = [found.path for found in _walk_roots([folder]) if found.kind == "sqlite"]
    for files in (_neotomas(plain), _neotomas(below), packed, misnamed):
        if files:
            return _only(folder, files, lambda file: file.name, expected)
    raise _none_in(folder)


def files_in(folder: Path) -> list[FoundFile]:
    """Return the files of a folder itself that may be, or may hold, a database."""
    return _walk_roots([path for path in sorted(folder.iterdir()) if path.is_file()])


def _neotomas(files: Sequence[Path]) -> list[Path]:
    return [file for file in files if mentions_neotoma(file)]


def _walk_roots(roots: Sequence[Path]) -> list[FoundFile]:
    return list(walk(roots, Walked(), no_progress))


def _open_unpacked(
    found: FoundFile, member: str, scratch: Path, expected: Environment | None, apart: Apart
) -> OpenedBackup:
    limits = Limits()
    taken = unpack_apart(apart.workers, found, scratch, limits, apart.allowance)
    problem = next((one.problem for one in taken if one.problem), "")
    unpacked = [one for one in taken if one.path is not None]
    databases = [one for one in unpacked if mentions_neotoma(one.path or Path())]
    databases = databases or [one for one in unpacked if speaks_of_neotoma(_name_of(one))]
    if not databases:
        if problem:
            raise BackupUnreadable(found.path, problem, "unpack it yourself and name the database")
        raise _none_in(found.path)
    picked = [one for one in databases if one.member == member]
    if member and not picked:
        raise _which(found.path, databases, f"{escape_name(member)} is not in it, but these are: ")
    one = _only(found.path, picked or databases, _name_of, expected)
    assert one.path is not None  # noqa: S101 - only those were taken
    if one.damage:
        raise BackupUnreadable(found.path, one.damage, "look for what can be saved with --search")
    if one.raw_files:
        raw_problem = unpack_raw_files_apart(apart, found, one.member, one.path, limits)
        problem = raw_problem or problem
    environment = environment_of(_name_of(one)) or environment_of(found.path.name)
    return OpenedBackup(one.path, environment, found.path, one.member, problem)


def _name_of(one: Unpacked) -> str:
    return one.path.name if one.path else ""


def _only(
    where: Path, choices: Sequence[T], called: Callable[[T], str], expected: Environment | None
) -> T:
    """Return the only choice, or the only one of the target's environment.

    Raises BackupUnreadable, which names those there are.
    """
    if len(choices) == 1:
        return choices[0]
    fitting = [one for one in choices if expected and environment_of(called(one)) == expected]
    if len(fitting) == 1:
        return fitting[0]
    raise _which(where, choices, f"{len(choices):,} databases are in it: ")


def _which(where: Path, choices: Sequence[object], said: str) -> BackupUnreadable:
    names = [escape_name(_place(where, one)) for one in choices]
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return BackupUnreadable(where, said + ", ".join(names[:_SHOWN]) + more, "name one of them")


def _place(where: Path, one: object) -> str:
    """Return how the user names one database in a folder or an archive."""
    return f"{where}{_WITHIN}{one.member}" if isinstance(one, Unpacked) else str(one)


def _none_in(where: Path) -> BackupUnreadable:
    return BackupUnreadable(where, "no Neotoma database is in it", "name the database file")
