"""The options that stand before a command: ``midden --version``, ``--config``, ``--profile``."""

from pathlib import Path
from typing import Annotated

import typer


def _print_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        from importlib.metadata import version

        print(f"midden {version('midden')}")
        raise typer.Exit


def accept_version(
    *,
    version: Annotated[  # noqa: ARG001 - answered while it is parsed
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="Use this midden.toml [default: MIDDEN_CONFIG].", show_default=False),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help="Use this profile of midden.toml [default: MIDDEN_PROFILE].", show_default=False
        ),
    ] = None,
) -> None:
    """Take the options that stand before a command; the version is said while they are parsed."""
    if config is not None or profile is not None:
        from neotoma_core.settings.environment import choose_configuration

        choose_configuration(config, profile)
