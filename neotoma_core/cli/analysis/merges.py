"""``midden merges``: merges and splits of entities, with the ids that ``unmerge`` takes."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.analysis.looked_at import Around, looking, place_of
from neotoma_core.cli.remote.archives import archive_here
from neotoma_core.cli.remote.opening import Opening
from neotoma_core.cli.terminal.options import (
    ARCHIVE_OPTION,
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    VAULT_OPTION,
)
from neotoma_core.snapshots.choosing import AUTO


def merges(
    *,
    target: Annotated[
        Path, typer.Option(help="The database, or a copy of it.", show_default=False)
    ],
    archive: Annotated[Path | None, ARCHIVE_OPTION] = None,
    limit: Annotated[int, typer.Option(min=1, help="Print at most this many, the last ones.")] = 50,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """List merges and splits of entities, and which can be undone.

    With the ids that `midden unmerge --merge-id` takes. A merge can be undone if the archive saw
    the rows before it.
    """
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.entity_view.merges import list_merges
    from neotoma_core.entity_view.merges_report import merges_text
    from neotoma_core.entity_view.opening import open_view
    from neotoma_core.settings.environment import default_archive_of, default_vault, key_source

    around = Around(target, vault or default_vault(target), Opening())
    with (
        place_of(str(target), around) as place,
        looking(around, key_source(key_file, mnemonic_file), AUTO, skip_unreadable=False) as how,
        archive_here(default_archive_of(target, archive, vault)) as here,
        TerminalProgress() as progress,
    ):
        view = open_view(place, how, progress)
        report = here.rename(list_merges(view, here.path, vault))
        progress.pause()
    print(report.to_json() if json else merges_text(report, limit))
