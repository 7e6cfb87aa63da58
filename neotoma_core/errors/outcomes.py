"""Runs that ended otherwise than asked for: wrong words, conflicts, failed proofs, alarms."""

from pathlib import Path

from neotoma_core.errors.record import run_command
from neotoma_core.errors.root import MiddenError


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
            f"backup {backup}: {wrong}; nothing was changed; choose another; to list them: "
            f"{run_command('backups')}",
        )


class AnomalyFound(MiddenError):
    """Much less is there than there used to be, and nobody has explained it."""

    exit_code = 6

    def __init__(self, backup: str, alarms: tuple[str, ...], accept: str) -> None:
        self.backup = backup
        self.alarms = alarms
        self.accept = accept
        super().__init__(
            f"backup {backup}: {alarms[0]}; no backup is removed until that is explained; "
            f"recover the database, or say why that is expected: `{accept}`"
        )
