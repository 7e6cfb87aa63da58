"""``midden doctor``: what could go wrong around a database, each with what to do about it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.terminal.configured import catalog_of, variables_of
from neotoma_core.cli.terminal.options import JSON_OPTION, VAULT_OPTION
from neotoma_core.errors import MiddenError, UsageError

if TYPE_CHECKING:
    from neotoma_core.settings.configured import ConfigReport

_CODES: Final = {"ok": 0, "warning": 3, "critical": 6}


def doctor(
    context: typer.Context,
    *,
    target: Annotated[
        Path | None,
        typer.Option(
            help="The database [default: the only one configured, or the one that Neotoma uses].",
            show_default=False,
        ),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Contact no remote.")] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
) -> int:
    """Check what a database and its backups need; name each fix.

    Versions, configuration, permissions, disk space, where the database lies, its log, the vault,
    backups, the last proven restore, remotes, keys, the schedule. Nothing is written.

    Exit code 3: something needs attention. Exit code 6: something is critical.
    """
    from datetime import UTC, datetime

    from neotoma_core.cli.protection.system_timers import find_timers
    from neotoma_core.doctor.examination import examine
    from neotoma_core.doctor.kept import Kept
    from neotoma_core.doctor.report import doctor_text
    from neotoma_core.settings.environment import default_vault, vault_of_its_own

    configured = _read_configuration(context)
    usable = not isinstance(configured, MiddenError)
    found = (target or _database(usable=usable)).absolute()
    folder = vault or (default_vault(found) if usable else vault_of_its_own(found))
    kept = Kept(found, folder.absolute(), datetime.now(UTC))
    report = examine(kept, configured, find_timers(), ask=not offline)
    print(report.to_json() if json else doctor_text(report))
    return _CODES[report.verdict]


def _read_configuration(context: typer.Context) -> "ConfigReport | UsageError":
    """Return what is configured, or why that cannot be read: this command goes on all the same."""
    from neotoma_core.settings.configured import configured_report
    from neotoma_core.settings.environment import configuration
    from neotoma_core.settings.option_tables import require_options

    catalog = catalog_of(context.find_root().command)
    try:
        require_options(configuration(), catalog)
        return configured_report(variables_of(catalog))
    except UsageError as error:
        return error


def _database(*, usable: bool) -> Path:
    from neotoma_core.settings.environment import neotoma_settings, only_database
    from neotoma_core.settings.used import used_database

    only = only_database() if usable else None
    return only or used_database(neotoma_settings())
