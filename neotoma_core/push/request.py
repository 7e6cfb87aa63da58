"""What is asked of a push."""

from dataclasses import dataclass
from pathlib import Path

from neotoma_core.files.keys import KeySource


@dataclass(frozen=True, slots=True)
class PushRequest:
    """What the user asked for.

    ``key``: where the key of encrypted columns is, if anywhere. ``raw_storage``: where Neotoma
    keeps raw files, if not next to the database. ``accept_loss``: push a database that lost much as
    its newest state. ``other_database``: whatever else the remote holds. ``backups``: the vault's
    verified backups are pushed, too.
    """

    target: Path
    vault: Path
    key: KeySource | None = None
    raw_storage: Path | None = None
    accept_loss: bool = False
    other_database: bool = False
    backups: bool = True
