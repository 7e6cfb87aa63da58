"""``midden backups``: what the vault has; pins, and losses that are meant."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.terminal.options import JSON_OPTION, TARGET_OPTION, VAULT_OPTION
from neotoma_core.errors import UsageError


def backups(
    *,
    why: Annotated[
        str, typer.Argument(help="The reason: needed with --accept, optional with --pin.")
    ] = "",
    target: Annotated[Path, TARGET_OPTION],
    pin: Annotated[
        str | None, typer.Option(help="Never remove this backup.", show_default=False)
    ] = None,
    unpin: Annotated[
        str | None,
        typer.Option(
            help="Remove the pin of this backup, so that rotation may remove it.",
            show_default=False,
        ),
    ] = None,
    accept: Annotated[
        str | None,
        typer.Option(
            help="Accept that this backup lacks data; the reason comes after it.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """List the backups of a database; pin one, or accept a loss.

    Backups are given by name or number.
    """
    from datetime import UTC, datetime

    from neotoma_core.backup.listing import (
        accept_loss,
        list_vault,
        pin_backup,
        unpin_backup,
    )
    from neotoma_core.backup.text import list_text
    from neotoma_core.settings.environment import default_vault
    from neotoma_core.vault.folder import require_there

    if sum(words is not None for words in (pin, unpin, accept)) > 1:
        raise UsageError("--pin, --unpin and --accept were given together; say one at a time")
    if why and (unpin is not None or (pin is None and accept is None)):
        raise UsageError("a reason was given without --accept or --pin; add one of them")
    folder = vault or default_vault(target)
    require_there(folder, target)
    now = datetime.now(UTC)
    if pin is not None:
        pin_backup(folder, pin, why)
    if unpin is not None:
        unpin_backup(folder, unpin)
    if accept is not None:
        accept_loss(folder, accept, why, now)
    listing = list_vault(folder, now)
    print(listing.to_json() if json else list_text(listing))
