"""Options that several commands have, spelled once."""

from typing import Final

import typer

from neotoma_core.documents.asked_times import AS_USERS_WRITE

KEY_FILE_OPTION: Final = typer.Option(
    help="A file with the key of encrypted columns, in hex "
    "[default: NEOTOMA_KEY_FILE_PATH or NEOTOMA_MNEMONIC, as for Neotoma].",
    show_default=False,
)
MNEMONIC_FILE_OPTION: Final = typer.Option(
    help="A file with the mnemonic of encrypted columns; NEOTOMA_MNEMONIC_PASSPHRASE goes with it.",
    show_default=False,
)
TARGET_OPTION: Final = typer.Option(help="The database to recover or protect.", show_default=False)
JSON_OPTION: Final = typer.Option("--json", help="Print one JSON document instead of text.")
VAULT_OPTION: Final = typer.Option(
    help="The folder midden keeps evidence and reports in "
    "[default: MIDDEN_VAULT, or one per database in your data folder].",
    show_default=False,
)
SCHEMAS_OPTION: Final = typer.Option(
    help="Another Neotoma database, or a JSON file of exported schemas, for types that no "
    "schema registry of this run describes.",
    show_default=False,
)
RULES_OPTION: Final = typer.Option(
    help="Recompute by the rules of this Neotoma: 0.22, 0.23 (the newest released), or main "
    "(unreleased). auto: the newest released, unless the tables show that no Neotoma with these "
    "rules ever opened the database.",
)
YES_OPTION: Final = typer.Option("--yes", "-y", help="Do not ask before writing.")
FROM_ARCHIVE_OPTION: Final = typer.Option(
    help="Build the database from this archive, a folder or s3://bucket/prefix, and nothing else.",
    show_default=False,
)
OBSERVED_OPTION: Final = typer.Option(
    help=f"Only what was observed up to {AS_USERS_WRITE}.", show_default=False
)
KNOWN_OPTION: Final = typer.Option(
    help="Only what was stored up to a day or time, written like that of --as-of.",
    show_default=False,
)
AS_OF_OPTION: Final = typer.Option(
    help=f"What was in the database at {AS_USERS_WRITE}.", show_default=False
)
SKIP_DAMAGED_OPTION: Final = typer.Option(
    "--skip-unreadable", help="Continue without files of an archive that cannot be read."
)
ARCHIVE_OPTION: Final = typer.Option(
    help="The archive, a folder or s3://bucket/prefix [default: archive in the database's vault].",
    show_default=False,
)
OTHER_DATABASE_OPTION: Final = typer.Option(
    "--allow-environment-mismatch",
    "--same-database",
    help="Continue even if the rows belong to another database, or development rows would go into "
    "production.",
)
