"""Which archive a command is about: the one named, or that of the database's vault."""

from pathlib import Path

from neotoma_core.errors import UsageError


def archive_of(target: Path | None, archive: Path | None, vault: Path | None) -> Path:
    """Return the archive; raises UsageError where nothing says which."""
    from neotoma_core.ops.archive import default_archive
    from neotoma_core.settings import default_vault

    if archive is not None:
        return archive
    if target is None and vault is None:
        raise UsageError("name the archive with --archive, or its database with --target")
    return default_archive(vault or default_vault(target or Path()))
