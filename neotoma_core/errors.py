"""Every error Midden raises on purpose, and the exit code each ends a command with.

::

    MiddenError                  1
    ├── UsageError               2    wrong arguments or settings
    ├── ConflictsFound           4    safe mode met one key with two values
    ├── VerificationFailed       5    what was written is not what was planned; rolled back
    │   └── BackupNotIntact      5    a backup is not what was stored; nothing was moved
    ├── AnomalyFound             6    a sudden loss; rotation is frozen
    ├── BackupError             10    an input; the target is unchanged
    │   ├── BackupUnreadable    10    missing, no permission, not SQLite, empty, truncated
    │   ├── BackupDamaged       10    opens, but fails its integrity check
    │   └── NotNeotoma          10    a SQLite database without Neotoma's tables
    ├── TargetError             11    the target cannot be used as it is
    │   ├── TargetLocked        11    another program holds the database; retryable
    │   ├── TargetChanged       11    the target changed after it was read; retryable
    │   └── ErasureUnfinished   11    rows were erased, their traces not all; retryable
    ├── KeyMissing              12    encrypted values and no key
    ├── KeyWrong                12    encrypted values that the key does not open
    ├── EnvironmentMismatch     13    development rows offered to production, or the reverse
    ├── DiskFull                14    too little free space for what is about to be written
    ├── VaultError              20    the folder Midden owns
    │   ├── OtherDatabase       20    it protects another database
    │   ├── VaultLocked         21    another run is using it; retryable
    │   └── VaultDamaged        22    something in it is not what its manifest says
    └── ArchiveError            25    no archive, of a newer midden, or it cannot be written to
        ├── ArchiveForeign      25    the archive is of another database
        ├── ArchiveBusy         26    another run is writing to it; retryable
        └── ArchiveDamaged      27    a file of it is missing or damaged

A message reads ``<what> <which>: <what is wrong>; <what to do>`` and never holds a stored value.
Exit code 3 is no error: the run did its work, and some of the backups could not be read.
130 and 143 end a run that was interrupted or told to stop.
"""

from pathlib import Path
from typing import Any, ClassVar


class MiddenError(Exception):
    """The base of every error below."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling: constructors take facts, and unpickling would pass them a message."""
        return _revived, (type(self), self.args), self.__dict__


def _revived(kind: type[MiddenError], arguments: tuple[object, ...]) -> MiddenError:
    error = kind.__new__(kind)
    error.args = arguments
    return error


class UsageError(MiddenError):
    """Wrong arguments or settings."""

    exit_code = 2


class ConflictsFound(MiddenError):
    """Safe mode met rows with one key and different values."""

    exit_code = 4

    def __init__(self, conflicts: int, listing: Path) -> None:
        self.conflicts = conflicts
        self.listing = listing
        super().__init__(
            f"{conflicts:,} rows have the same key and different values: nothing was changed; "
            f"say in {listing} what to keep and pass it with --decisions, "
            "or choose --mode keep-target or --mode keep-source"
        )


class VerificationFailed(MiddenError):
    """What was written is not what was planned."""

    exit_code = 5

    def __init__(self, subject: str, failed: tuple[str, ...]) -> None:
        self.failed = failed
        super().__init__(
            f"{subject}: {'; '.join(failed)}; rolled back, nothing was changed; "
            "please report this with the report file"
        )


class BackupNotIntact(VerificationFailed):
    """A backup of a vault, or one of Neotoma's own, is not what was stored."""

    def __init__(self, backup: str, wrong: str) -> None:
        self.failed = (wrong,)
        MiddenError.__init__(
            self,
            f"backup {backup}: {wrong}; nothing was changed; choose another: `midden backups` "
            "lists them",
        )


class AnomalyFound(MiddenError):
    """Much less is there than there used to be, and nobody has explained it."""

    exit_code = 6

    def __init__(self, backup: str, alarms: tuple[str, ...]) -> None:
        self.backup = backup
        self.alarms = alarms
        super().__init__(
            f"backup {backup}: {alarms[0]}; no backup is removed until that is explained; "
            f'recover the database, or say `midden backups --accept {backup} "why"`'
        )


class BackupError(MiddenError):
    """An input cannot be used; the target is unchanged."""

    exit_code = 10

    def __init__(self, path: Path, wrong: str, advice: str) -> None:
        self.path = path
        self.wrong = wrong
        self.advice = advice
        super().__init__(f"{path}: {wrong}; {advice}")


class BackupUnreadable(BackupError):
    """Missing, without permission, not SQLite, empty or truncated."""


class BackupDamaged(BackupError):
    """It opens, but fails its integrity check."""


class NotNeotoma(BackupError):
    """A SQLite database without Neotoma's tables."""


class TargetError(MiddenError):
    """The target cannot be used as it is."""

    exit_code = 11

    def __init__(self, path: Path, wrong: str, advice: str) -> None:
        self.path = path
        super().__init__(f"target {path}: {wrong}; nothing was changed; {advice}")


class TargetLocked(TargetError):
    """Another program holds the database."""

    retryable = True

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            "locked by another program",
            "stop the Neotoma server (or wait until it is idle) and run the command again",
        )


class TargetChanged(TargetError):
    """The target changed after it was read."""

    retryable = True

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, "it was written to while the merge was planned", "run the command again"
        )


class ErasureUnfinished(TargetError):
    """The rows were erased and that was committed; the traces they left were not all removed."""

    retryable = True

    def __init__(self, path: Path) -> None:
        self.path = path
        MiddenError.__init__(
            self,
            f"target {path}: the rows are erased, but another program keeps the database from "
            "being scrubbed, so their text may still be in its free space; stop the Neotoma "
            "server and run `midden erase --again`",
        )


class KeyMissing(MiddenError):
    """Encrypted values and no key: recomputing would write empty snapshots, or plain ones."""

    exit_code = 12

    def __init__(self, path: Path, rows: int, table: str = "observations") -> None:
        self.path = path
        self.rows = rows
        self.table = table
        super().__init__(
            f"{path}: {rows:,} {table.replace('_', ' ')} are encrypted and no key was given; "
            "nothing was changed, since snapshots recomputed without the key would be wrong; "
            "give the key with --key-file or --mnemonic-file"
        )


class KeyWrong(MiddenError):
    """Encrypted values that the key does not open: it is another's, or they are damaged."""

    exit_code = 12

    def __init__(self, path: Path, table: str, failed: int, sealed: int) -> None:
        self.path = path
        self.table = table
        self.failed = failed
        self.sealed = sealed
        super().__init__(
            f"{path}: the key does not open {failed:,} of {sealed:,} encrypted values in {table}; "
            "nothing was changed; give the key they were encrypted with"
        )


class EnvironmentMismatch(MiddenError):
    """Development rows offered to production, or the reverse."""

    exit_code = 13

    def __init__(self, backup: Path, backup_is: str, target_is: str) -> None:
        self.backup = backup
        super().__init__(
            f"{backup}: a {backup_is} database offered to a {target_is} target; nothing was "
            "changed; leave it out, or say --allow-environment-mismatch if that is what you want"
        )


class DiskFull(MiddenError):
    """Too little free space for what is about to be written."""

    exit_code = 14

    def __init__(self, folder: Path, needed: int | None = None, free: int = 0) -> None:
        self.needed = needed
        self.free = free
        wrong = "the disk is full"
        if needed is not None:
            wrong = f"{needed / 1e6:,.1f} MB are needed and {free / 1e6:,.1f} MB are free"
        super().__init__(
            f"{folder}: {wrong}; nothing was changed; "
            "make room, or choose another folder with --vault"
        )


class VaultError(MiddenError):
    """Something about the folder Midden owns."""

    exit_code = 20

    def __init__(self, path: Path, wrong: str, advice: str) -> None:
        self.path = path
        super().__init__(f"vault {path}: {wrong}; {advice}")


class OtherDatabase(VaultError):
    """The vault protects another database."""

    def __init__(self, path: Path, target: Path) -> None:
        self.target = target
        super().__init__(
            path,
            f"it protects another database: nothing of what it knows is in {target}",
            "choose another folder with --vault",
        )


class VaultLocked(VaultError):
    """Another run is using the vault."""

    exit_code = 21
    retryable = True

    def __init__(self, path: Path) -> None:
        super().__init__(path, "another run of midden is using it", "wait until it has ended")


class VaultDamaged(VaultError):
    """Something in the vault is not what its manifest says."""

    exit_code = 22


class ArchiveError(MiddenError):
    """No archive, one that a newer midden wrote, or one that cannot be written to."""

    exit_code = 25

    def __init__(self, path: Path, wrong: str, advice: str) -> None:
        self.path = path
        self.wrong = wrong
        self.advice = advice
        super().__init__(f"archive {path}: {wrong}; {advice}")


class ArchiveForeign(ArchiveError):
    """The archive is of another database."""

    def __init__(self, path: Path, database: Path) -> None:
        super().__init__(
            path,
            f"it is of another database: it shares no observation and no source with {database}; "
            "nothing was written",
            "name another archive, or say --same-database if that was wiped and begun anew",
        )


class ArchiveBusy(ArchiveError):
    """Another run is writing to the archive."""

    exit_code = 26
    retryable = True

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, "another run of midden is writing to it", "run again once it is done"
        )


class ArchiveDamaged(ArchiveError):
    """A file of the archive is missing or damaged."""

    exit_code = 27
