"""``midden diff``: how two databases, or two states of one, differ."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.analysis.looked_at import LIMIT_OPTION, Around, looking, place_of
from neotoma_core.cli.remote.opening import ENDPOINT_OPTION, IdentityFile, Opening
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    RULES_OPTION,
    SKIP_DAMAGED_OPTION,
    VAULT_OPTION,
)
from neotoma_core.snapshots.choosing import AUTO, require_rules

_PLACE = (
    "A database, a copy, an archive, a remote, or with --target a backup of its vault by name or "
    "number; each may end in @ and a time."
)


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=_PLACE, show_default=False)],
    after: Annotated[
        str, typer.Argument(metavar="B", help="What A is compared with.", show_default=False)
    ],
    *,
    target: Annotated[
        Path | None,
        typer.Option(
            help="The database whose vault has the backups that A and B name "
            "[default: the one of A and B that has a vault].",
            show_default=False,
        ),
    ] = None,
    values: Annotated[bool, typer.Option("--values", help="Also print stored values.")] = False,
    limit: Annotated[int, LIMIT_OPTION] = 20,
    parquet: Annotated[
        Path | None,
        typer.Option(help="Also write every difference here, one per row.", show_default=False),
    ] = None,
    rules: Annotated[str, RULES_OPTION] = AUTO,
    skip_unreadable: Annotated[bool, SKIP_DAMAGED_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    endpoint: Annotated[str | None, ENDPOINT_OPTION] = None,
    identity_file: IdentityFile = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Compare two databases or copies, entity by entity.

    Both are recomputed from their logs by the same rules, so an archive can be compared with a
    database, and a database with what it was: midden diff neotoma.db@2026-03-01 neotoma.db.
    """
    from neotoma_core.cli.terminal.named_files import require_parquet
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.entity_view.diff import DiffRequest, diff_places
    from neotoma_core.entity_view.diff_text import diff_text
    from neotoma_core.entity_view.places import split_moment
    from neotoma_core.settings.environment import default_vault, key_source

    if parquet is not None:
        require_parquet("--parquet", parquet)
    sides = [Path(split_moment(words)[0]) for words in (before, after)]
    around = target or next((side for side in sides if default_vault(side).is_dir()), sides[0])
    here = Around(around, vault or default_vault(around), Opening(identity_file, endpoint=endpoint))
    key = key_source(key_file, mnemonic_file)
    with (
        place_of(before, here) as one,
        place_of(after, here) as other,
        looking(here, key, require_rules(rules), skip_unreadable=skip_unreadable) as how,
        TerminalProgress() as progress,
    ):
        request = DiffRequest(one, other, values, limit, parquet)
        report = diff_places(request, how, progress)
        progress.pause()
    print(report.to_json() if json else diff_text(report))
