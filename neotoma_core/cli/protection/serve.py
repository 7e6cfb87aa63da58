"""``midden serve``: run scheduled backups and drills on this machine."""

import importlib
import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.terminal.named_files import require_databases, require_page
from neotoma_core.cli.terminal.options import VAULT_OPTION
from neotoma_core.errors import UsageError

_FLOWS = "pipelines.serving"  # above this layer: found when it is asked for, not imported here

_HTML = typer.Option(
    help="Keep the page of all protected databases current in this file [default: what midden.toml "
    "names as their page].",
    show_default=False,
)
_PAGE = typer.Option(
    min=0,
    max=65_535,
    help="Serve that page on this port, for this machine only; 0 takes any that is free.",
    metavar="PORT",
    show_default=False,
)


def serve(
    *,
    target: Annotated[
        list[Path], typer.Option(help="A database to protect; repeat it.", show_default=False)
    ],
    backup_cron: Annotated[
        str, typer.Option(help="When to back up, in cron syntax.")
    ] = "0 3 * * *",
    verify_cron: Annotated[
        str, typer.Option(help="When to repeat drills, in cron syntax.")
    ] = "0 4 * * 0",
    html: Annotated[Path | None, _HTML] = None,
    page: Annotated[int | None, _PAGE] = None,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Back up and repeat drills on schedule, until interrupted.

    If the vault has remotes, each backup is pushed to them. Times are in this machine's time zone.
    Needs Prefect (the ``flows`` extra), but no server and no work pool: unless PREFECT_API_URL is
    set, each run starts a temporary server.
    """
    from neotoma_core.find.board.keeping import configured_pages

    if vault is not None and len(target) > 1:
        raise UsageError("--vault was given with several targets; a vault protects one database")
    require_databases("--target", target)
    if html is not None:
        require_page("--html", html)
    if importlib.util.find_spec("prefect") is None:
        raise UsageError(
            "Prefect is not installed; install midden with its flows extra, or run `midden backup` "
            "from cron"
        )
    serving = importlib.import_module(_FLOWS)
    files = (html.absolute(),) if html else configured_pages(target)
    place = serving.PagePlace(files, page) if files or page is not None else None
    serving.serve_schedules(
        [path.absolute() for path in target],
        vault=vault.absolute() if vault else None,
        backup_cron=backup_cron,
        verify_cron=verify_cron,
        page=place,
    )
