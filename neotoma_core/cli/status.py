"""``midden status``: one line that says what a database needs first."""

from pathlib import Path
from typing import Annotated, Final

import typer

from neotoma_core.cli.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    VAULT_OPTION,
)

_ALARM: Final = 6
_SEARCH: Final = typer.Option(
    help="Where copies may be; repeat it [default: the database's folder and the one above].",
    show_default=False,
)


def status(
    target: Annotated[Path, typer.Argument(help="The database.", show_default=False)],
    *,
    search: Annotated[list[Path] | None, _SEARCH] = None,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
) -> int:
    """Say whether a database has lost what its copies hold, what protects it, and what to do.

    Also counts stores that did not finish; --json has their ids.

    Exit code 6 where it looks wiped, a backup is overdue, or rotation is frozen.
    """
    from datetime import UTC, datetime

    from neotoma_core.cli.progress import TerminalProgress
    from neotoma_core.ops.find import check_status
    from neotoma_core.ops.search import SearchRequest
    from neotoma_core.report.inventory_text import status_text
    from neotoma_core.settings import default_vault, key_source, places_around, raw_storage

    with TerminalProgress() as progress:
        places = tuple(search) if search else places_around(target)
        key = key_source(key_file, mnemonic_file)
        now = datetime.now(UTC)
        folder = vault or default_vault(target)
        report = check_status(
            target,
            SearchRequest(places, key=key),
            folder,
            now,
            progress,
            raw_storage=raw_storage(target),
        )
        progress.pause()
    print(report.to_json() if json else status_text(report, now))
    return _ALARM if report.is_alarming else 0
