"""``midden reset``: the guarded way to wipe a database."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)
from neotoma_core.cli.terminal.session import asking_session


def reset(
    *,
    target: Annotated[Path, TARGET_OPTION],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be lost; change nothing.")
    ] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Empty a database, after a proven backup: a reset you can undo.

    For a production database (NEOTOMA_ENV, its name or its content says so) its name has to be
    typed at a terminal, and --yes does not count. Raw files stay.
    """
    key = (key_file, mnemonic_file)
    run_reset(target, vault, key, dry_run=dry_run, yes=yes, json=json)


def run_reset(
    target: Path,
    vault: Path | None = None,
    key: tuple[Path | None, Path | None] = (None, None),
    environment: str | None = None,
    *,
    dry_run: bool = False,
    yes: bool,
    json: bool,
) -> None:
    """Reset a database and print what was done.

    ``key``: files of the key or the mnemonic. ``environment``: the one the user named, if any.
    """
    from datetime import UTC, datetime

    from neotoma_core.guard.reset import ResetRequest, plan_reset
    from neotoma_core.guard.reset import reset as reset_database
    from neotoma_core.guard.reset_report import reset_text
    from neotoma_core.settings.environment import default_vault, key_source, raw_storage

    folder, keys, raw = vault or default_vault(target), key_source(*key), raw_storage(target)
    with asking_session(yes=yes, json=json, dry_run=dry_run) as session:
        guard = session.guard("reset", environment)
        request = ResetRequest(target, folder, guard, keys, raw)
        now = datetime.now(UTC)
        if dry_run:
            report = plan_reset(request, now)
        else:
            report = reset_database(request, now, session.progress)
        would_go = f"{report.lost} would go; nothing was changed"
        session.end(
            report,
            reset_text,
            rehearsed=lambda _: f"dry run    {would_go}",
            declined=would_go,
        )
