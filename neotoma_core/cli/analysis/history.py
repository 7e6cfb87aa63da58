"""``midden history``: every version of every observation of an entity, from the archive."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.remote.archives import archive_here
from neotoma_core.cli.terminal.options import (
    ARCHIVE_OPTION,
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    VAULT_OPTION,
)
from neotoma_core.errors import ArchiveDamaged, UsageError


def history(
    *,
    entity: Annotated[str, typer.Option(help="The id of the entity.", show_default=False)],
    target: Annotated[
        Path | None,
        typer.Option(help="The database whose vault has the archive.", show_default=False),
    ] = None,
    archive: Annotated[Path | None, ARCHIVE_OPTION] = None,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """List every version and value that an archive has of an entity.

    Also the entities its observations belonged to over time. Exit code 27: a part of the archive
    cannot be read.
    """
    from neotoma_core.history.reading import entity_history
    from neotoma_core.history.report import history_text
    from neotoma_core.settings.environment import default_archive_of, default_vault, key_source

    if archive is not None and (target is not None or vault is not None):
        raise UsageError("--archive was given with --target or --vault; leave those out")
    place = default_archive_of(target, archive, vault)
    of_target = default_vault(target) if target else None
    key = key_source(key_file, mnemonic_file)
    with archive_here(place) as here:
        report = here.rename(entity_history(here.path, entity, key, vault or of_target))
    print(report.to_json() if json else history_text(report))
    is_damaged = any(finding.kind == "archive-damaged" for finding in report.findings)
    return ArchiveDamaged.exit_code if is_damaged else 0
