"""``midden find``: which copies exist, what each holds, and what no other does."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.remote.opening import IdentityFile, Limit, Opening, bytes_a_second
from neotoma_core.cli.terminal.options import JSON_OPTION, VAULT_OPTION
from neotoma_core.errors import UsageError

if TYPE_CHECKING:
    from neotoma_core.find.search import SearchRequest
    from neotoma_core.report.inventory import InventoryReport

_PIPED_WIDTH: Final = 160
_MOUNTED: Final = typer.Option(
    "--mounted", help="Also look on volumes mounted below, and under the usual places for them."
)
_REMOTE: Final = typer.Option(
    help="Also list what a remote holds: its name, or its address. Needs --target.",
    show_default=False,
)
_TARGET: Final = typer.Option(
    help="With --remote: the database that the remote is compared with.", show_default=False
)
_PARQUET: Final = typer.Option(
    help="Also write the inventory here, for `midden recover --from-inventory`.",
    show_default=False,
)
_PICTURE: Final = typer.Option(
    help="Also draw what each copy covers: a page to look at as .html, the picture alone as .svg.",
    show_default=False,
)


def find(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files and folders to search [default: Neotoma's data folder and your home].",
            show_default=False,
        ),
    ] = None,
    *,
    remote: Annotated[str | None, _REMOTE] = None,
    target: Annotated[Path | None, _TARGET] = None,
    mounted: Annotated[bool, _MOUNTED] = False,
    parquet: Annotated[Path | None, _PARQUET] = None,
    picture: Annotated[Path | None, _PICTURE] = None,
    identity_file: IdentityFile = None,
    bwlimit: Limit = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Find and compare every copy of a database.

    File names do not matter: copies are recognised by content. It never writes next to files it
    finds; only the files you ask for are written. With --remote, the logs of a remote are among
    the copies, each with every row it ever had.
    """
    from datetime import UTC, datetime

    from rich.console import Console

    from neotoma_core.cli.terminal.named_files import require_parquet, require_picture
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.find.search import SearchRequest
    from neotoma_core.find.status import find_copies, write_inventory
    from neotoma_core.find.text import print_inventory
    from neotoma_core.settings.environment import default_places, neotoma_settings

    if parquet is not None:
        require_parquet("--parquet", parquet)
    if picture is not None:
        require_picture(picture)
    data = neotoma_settings().data_folder()
    if remote is not None:
        where = SearchRequest(tuple(paths or ()), mounted)
        opening = Opening(identity_file, bytes_a_second(bwlimit))
        report = _on_remote(remote, target, vault, opening, where)
        report = write_inventory(report, parquet, picture)
    else:
        _require_remote(target, vault, identity_file, bwlimit)
        where = SearchRequest(tuple(paths) if paths else default_places(mounted=mounted), mounted)
        with TerminalProgress() as progress:
            report = find_copies(where, data, progress, parquet=parquet, picture=picture)
            progress.pause()
    if json:
        print(report.to_json())
    else:
        width = None if sys.stdout.isatty() else _PIPED_WIDTH
        print_inventory(report, datetime.now(UTC), Console(highlight=False, width=width))
    return 0


def _require_remote(*given: object) -> None:
    """Raise UsageError where options of a remote were given without one."""
    if any(one is not None for one in given):
        raise UsageError(
            "--target, --vault, --identity-file and --bwlimit go with --remote; name the remote"
        )


def _on_remote(
    remote: str, target: Path | None, vault: Path | None, opening: Opening, where: "SearchRequest"
) -> "InventoryReport":
    """Bring the logs of a remote here for the time of the command; no vault is made for it."""
    from dataclasses import replace

    from neotoma_core.cli.remote.as_backups import bring_logs
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.files.scratch import private_scratch
    from neotoma_core.find.remote_copies import find_on_remote
    from neotoma_core.ledger.file import read_erased
    from neotoma_core.pull.sources import CopyRequest
    from neotoma_core.runs.begin import Whereabouts
    from neotoma_core.settings.environment import default_vault

    if target is None:
        raise UsageError("--remote compares with a database; name it with --target")
    with private_scratch() as scratch:
        own = vault or default_vault(target)
        kept = own if own.exists() else scratch / "vault"
        where = replace(where, erased=read_erased(kept))
        request = CopyRequest(target, kept, rows_only=True)
        with bring_logs(remote, request, opening) as copies, TerminalProgress() as progress:
            asked = Whereabouts(target, own)
            report = find_on_remote(asked, remote, copies, where, progress)
            progress.pause()
            return report
