"""``midden status``: one line that says what a database needs first."""

from pathlib import Path
from typing import Annotated, Final

import typer

from neotoma_core.cli.options import JSON_OPTION

_SEARCH: Final = typer.Option(
    help="Where copies may be; repeat it [default: the database's folder and the one above].",
    show_default=False,
)


def status(
    target: Annotated[Path, typer.Argument(help="The database.", show_default=False)],
    *,
    search: Annotated[list[Path] | None, _SEARCH] = None,
    json: Annotated[bool, JSON_OPTION] = False,
) -> int:
    """Say whether a database has lost what its copies hold, and what to do then.

    Exit code 6 where it looks wiped.
    """
    from datetime import UTC, datetime

    from neotoma_core.cli.progress import TerminalProgress
    from neotoma_core.ops.find import check_status
    from neotoma_core.ops.search import SearchRequest
    from neotoma_core.report.inventory_text import status_text
    from neotoma_core.settings import places_around

    with TerminalProgress() as progress:
        places = tuple(search) if search else places_around(target)
        report = check_status(target, SearchRequest(places), progress)
        progress.pause()
    print(report.to_json() if json else status_text(report, datetime.now(UTC)))
    return WIPED if report.drop.verdict == "wiped" else 0


WIPED: Final = 6
