"""``midden --version``."""

from typing import Annotated

import typer


def _print_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        from importlib.metadata import version

        print(f"midden {version('midden')}")
        raise typer.Exit


def accept_version(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command; the answer is given while they are parsed."""
