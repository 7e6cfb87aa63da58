"""What Midden itself keeps and cannot use: a vault, an archive."""

from datetime import date
from pathlib import Path

from neotoma_core.errors.root import MiddenError
from neotoma_core.words.shell_words import midden_command


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
        meant = ("--allow-environment-mismatch",)
        both = midden_command("backup", target=target, vault=path, then=meant)
        super().__init__(
            path,
            f"it protects another database: nothing of what it knows is in {target}",
            f"choose another folder with --vault; if it is to protect both, say so: {both}",
        )


class VaultAbsent(VaultError):
    """A vault was made there, and it is gone: perhaps its disk is not connected.

    ``mount``: where the disk that held it was mounted, if that is known and none is there now.
    """

    def __init__(self, path: Path, target: Path, made: date, mount: Path | None) -> None:
        self.target = target
        self.connect = (
            f"connect the disk that is mounted at {mount}" if mount else "connect its disk, if any"
        )
        again = midden_command("init", target=target, vault=path, then=("--new-vault",))
        super().__init__(
            path,
            f"it was made here on {made} and is gone",
            f"{self.connect}, or choose another folder with --vault; if it is gone for good: "
            f"{again}",
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
            "name another archive, or say --allow-environment-mismatch if that is what you want",
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
