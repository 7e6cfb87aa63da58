"""``midden status``: one line that says what a database needs first."""

from pathlib import Path
from typing import Annotated, Final

import typer

from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    VAULT_OPTION,
)
from neotoma_core.errors import MiddenError, TargetError, UsageError

_ALARM: Final = 6
_SEARCH: Final = typer.Option(
    help="Where copies may be; repeat it [default: the database's folder, the one above, and the "
    "files in your home folder].",
    show_default=False,
)
_HTML: Final = typer.Option(
    help="Write the state of every protected database to this page: the one named, those that are "
    "configured, and those of your vaults.",
    show_default=False,
)
_TARGET: Final = typer.Option("--target", help="The database; the same as TARGET.")


def status(
    database: Annotated[
        Path | None, typer.Argument(help="The database.", metavar="TARGET", show_default=False)
    ] = None,
    *,
    named: Annotated[Path | None, _TARGET] = None,
    search: Annotated[list[Path] | None, _SEARCH] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Print one line for a monitor: OK, WARNING, CRITICAL or UNKNOWN."
        ),
    ] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
    html: Annotated[Path | None, _HTML] = None,
    json: Annotated[bool, JSON_OPTION] = False,
) -> int:
    """Say whether a database lost data, and what to do next.

    Compares it with its copies, says which backups protect it, and counts stores that did not
    finish; --json has their ids.

    Exit code 6: it looks wiped or is damaged, a backup is overdue, or rotation is frozen. Exit code
    11: it could not be read. With --check the exit code is 0 for OK, 1 for WARNING, 2 for CRITICAL
    and 3 for UNKNOWN, as monitors have it, and ages are in hours.
    """
    if check and json:
        raise UsageError("--check prints one line; leave --json out")
    from neotoma_core.workers.ahead import start_ahead

    start_ahead()
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.find.monitoring import check_line, unknown_line
    from neotoma_core.find.places import search_around
    from neotoma_core.find.search import SearchRequest
    from neotoma_core.find.status import check_status
    from neotoma_core.find.text import status_text
    from neotoma_core.runs.begin import Whereabouts
    from neotoma_core.settings.environment import (
        default_vault,
        key_source,
        only_database,
        raw_storage,
    )
    from neotoma_core.settings.used import no_database_named

    target = database or named
    if html is not None and not (database and named):
        if search or key_file or mnemonic_file or vault or check:
            raise UsageError("--html compares with the backups of vaults; leave other options out")
        return _write_board(html, target, json=json)
    target = target or only_database()
    now = datetime.now(UTC)
    try:
        if database and named:
            raise UsageError("the database was named twice; name it once: midden status TARGET")
        if target is None:
            raise no_database_named("like this: midden status TARGET")
        with TerminalProgress() as progress:
            key = key_source(key_file, mnemonic_file)
            folder = vault or default_vault(target)
            asked = Whereabouts(target, folder, key, raw_storage(target))
            where = SearchRequest(tuple(search), key=key) if search else search_around(target, key)
            report = check_status(asked, where, now, progress)
            progress.pause()
    except MiddenError as error:
        if not check:
            raise
        return _say(unknown_line(str(error)))
    if check:
        return _say(check_line(report, now))
    print(report.to_json() if json else status_text(report, now))
    if report.is_unread:
        return TargetError.exit_code
    return _ALARM if report.is_alarming else 0


def _say(checked: tuple[str, int]) -> int:
    line, code = checked
    print(line)
    return code


def _write_board(page: Path, target: Path | None, *, json: bool) -> int:
    """Write the state of every protected database as a page, and print a line about each."""
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.named_files import require_page
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.find.board.board import find_protected, look_at_all, write_board
    from neotoma_core.find.board.text import board_text

    require_page("--html", page)
    now = datetime.now(UTC)
    with TerminalProgress() as progress:
        report = look_at_all(find_protected([target] if target else []), now, progress)
        progress.pause()
    report = write_board(report, page, now)
    print(report.to_json() if json else board_text(report, now))
    return _ALARM if report.is_alarming else 0
