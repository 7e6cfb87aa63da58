"""Databases that cannot be used: backups, targets, keys, environments, and no room for them."""

from pathlib import Path
from typing import Final

from neotoma_core.errors.record import run_record, what_is_done
from neotoma_core.errors.root import MiddenError
from neotoma_core.words.shell_words import midden_command, quote_word


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
        self.wrong = wrong
        super().__init__(f"target {path}: {wrong}; {what_is_done(target=path)}; {advice}")


class TargetLocked(TargetError):
    """Another program holds the database."""

    retryable = True

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            "locked by another program",
            "stop the Neotoma server (or wait until it is idle) and run the command again",
        )


class TargetRuined(TargetError):
    """The target is damaged, cut short or empty: it has to be recovered first."""

    def __init__(self, path: Path, wrong: str, recover: str) -> None:
        self.recover = recover
        super().__init__(path, wrong, f"next: {recover}")


class TargetForeign(TargetError):
    """What is there may be somebody else's, and is not replaced unasked."""

    def __init__(self, path: Path, wrong: str) -> None:
        away = f"mv -n {quote_word(path)} {quote_word(f'{path}.aside')}"
        super().__init__(
            path,
            wrong,
            f"name another target; or, if this file may go, move it away yourself: {away}",
        )


class TargetChanged(TargetError):
    """The target changed after it was read."""

    retryable = True

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            "it was written to after it was read",
            "run the command again",
        )


class ErasureUnfinished(TargetError):
    """The rows were erased and that was committed; the traces they left were not all removed."""

    retryable = True

    def __init__(self, path: Path, why: str = "") -> None:
        self.path = path
        kept = why or "another program keeps the database from being scrubbed"
        first = "put that right" if why else "stop the Neotoma server"
        again = midden_command("erase", "--again", target=path, vault=run_record().vault)
        MiddenError.__init__(
            self,
            f"target {path}: the rows are erased, but {kept}, so their text may still be in its "
            f"free space or raw files; {first} and run: {again}",
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


_MEANT: Final = "leave it out, or say --allow-environment-mismatch if that is what you want"


class EnvironmentMismatch(MiddenError):
    """Development rows offered to production, or the reverse."""

    exit_code = 13

    def __init__(self, backup: Path, backup_is: str, target_is: str) -> None:
        self.backup = backup
        super().__init__(
            f"{backup}: a {backup_is} database offered to a {target_is} target; nothing was "
            f"changed; {_MEANT}"
        )


class DatabaseMismatch(MiddenError):
    """A backup of one database offered to another one."""

    exit_code = 13

    def __init__(self, backup: Path, target: Path, because: str) -> None:
        self.backup = backup
        super().__init__(
            f"{backup}: of another database than {target}: {because}; nothing was changed; {_MEANT}"
        )


class DiskFull(MiddenError):
    """Too little free space for what is about to be written."""

    exit_code = 14

    def __init__(
        self, folder: Path, needed: int | None = None, free: int = 0, whose: str = "vault"
    ) -> None:
        self.needed = needed
        self.free = free
        wrong = "the disk is full"
        if needed is not None:
            wrong = f"{needed / 1e6:,.1f} MB are needed and {free / 1e6:,.1f} MB are free"
        named = f"{whose} {folder}".lstrip()
        super().__init__(f"{named}: {wrong}; {what_is_done()}; {_MAKE_ROOM.get(whose, _ROOM)}")


_ROOM = "make room and run again"
_MAKE_ROOM = {
    "vault": "make room, or choose another folder with --vault",
    "temporary folder": "make room, or name another folder in TMPDIR",
    "export": "make room, or choose another folder with --to",
}


class FileUnusable(MiddenError):
    """A file or folder that is neither target, backup, vault nor archive, and what went wrong."""

    exit_code = 15

    def __init__(self, path: Path, wrong: str, advice: str) -> None:
        self.path = path
        super().__init__(f"{path}: {wrong}; {what_is_done()}; {advice}")


class OutputFailed(FileUnusable):
    """Standard output cannot be written to."""

    def __init__(self, wrong: str) -> None:
        self.path = Path("-")
        MiddenError.__init__(
            self, f"standard output: {wrong}; {what_is_done()}; check where it goes"
        )


class MemoryFull(MiddenError):
    """Too little memory."""

    exit_code = 16

    def __init__(self) -> None:
        super().__init__(
            f"too little memory; {what_is_done()}; close other programs, or raise the limit"
        )
