"""``midden find``: which copies exist, what each holds, and what no other does."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from neotoma_core.cli.terminal.options import JSON_OPTION

_PIPED_WIDTH: Final = 160
_MOUNTED: Final = typer.Option(
    "--mounted", help="Also look on volumes mounted below, and under the usual places for them."
)
_PARQUET: Final = typer.Option(
    help="Also write the inventory here, for `midden recover --from-inventory`.",
    show_default=False,
)
_PICTURE: Final = typer.Option(
    help="Also draw what each copy covers, as .svg or .html.", show_default=False
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
    mounted: Annotated[bool, _MOUNTED] = False,
    parquet: Annotated[Path | None, _PARQUET] = None,
    picture: Annotated[Path | None, _PICTURE] = None,
    json: Annotated[bool, JSON_OPTION] = False,
) -> int:
    """Find and compare every copy of a Neotoma database.

    File names do not matter: copies are recognised by content. It never writes next to files it
    finds; only the files you ask for are written.
    """
    from datetime import UTC, datetime

    from rich.console import Console

    from neotoma_core.cli.terminal.named_files import require_parquet, require_picture
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.find.search import SearchRequest
    from neotoma_core.find.status import find_copies
    from neotoma_core.find.text import print_inventory
    from neotoma_core.settings.environment import default_places, neotoma_settings

    if parquet is not None:
        require_parquet("--parquet", parquet)
    if picture is not None:
        require_picture(picture)
    data = neotoma_settings().data_folder()
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
