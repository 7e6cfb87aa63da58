"""``midden config``: what midden.toml says, and whether it can be used."""

from typing import Annotated

import typer

from neotoma_core.cli.terminal.options import JSON_OPTION
from neotoma_core.cli.terminal.strict import StrictCommand

_UNUSABLE = 2

config = typer.Typer(
    help="Show or check midden.toml: names of databases, and their vaults.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@config.command(cls=StrictCommand)
def show(*, json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Print what is configured, and where each value comes from."""
    from neotoma_core.settings.configured import config_text
    from neotoma_core.settings.environment import report_configuration

    report = report_configuration()
    print(report.to_json() if json else config_text(report))


@config.command(cls=StrictCommand)
def check(*, json: Annotated[bool, JSON_OPTION] = False) -> int:
    """Check that the file is valid and that its databases exist.

    Exit code 2: the file is invalid, or names a database that does not exist.
    """
    from neotoma_core.settings.configured import config_text
    from neotoma_core.settings.environment import report_configuration

    report = report_configuration()
    print(report.to_json() if json else config_text(report))
    return 0 if all(one.path_exists for one in report.configured) else _UNUSABLE
