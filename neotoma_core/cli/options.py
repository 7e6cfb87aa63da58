"""Options that several commands have, spelled once."""

from typing import Final

import typer

TARGET_OPTION: Final = typer.Option(help="The database to recover or protect.", show_default=False)
JSON_OPTION: Final = typer.Option("--json", help="Print one JSON document instead of text.")
VAULT_OPTION: Final = typer.Option(
    help="The folder midden keeps evidence and reports in "
    "[default: MIDDEN_VAULT, or one per database in your data folder].",
    show_default=False,
)
YES_OPTION: Final = typer.Option("--yes", "-y", help="Do not ask before writing.")
