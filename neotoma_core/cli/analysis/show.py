"""``midden show``: one entity, as a database or a copy of it has it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neotoma_core.cli.analysis.looked_at import Around, looking, place_of
from neotoma_core.cli.remote.archives import archive_here
from neotoma_core.cli.remote.opening import ENDPOINT_OPTION, IdentityFile, Opening
from neotoma_core.cli.terminal.options import (
    ARCHIVE_OPTION,
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    RULES_OPTION,
    SKIP_DAMAGED_OPTION,
    VAULT_OPTION,
)
from neotoma_core.snapshots.choosing import AUTO, require_rules

if TYPE_CHECKING:
    from neotoma_core.entity_view.entity_report import EntityReport

_AMBIGUOUS = 2
_LISTED = 20


def show(
    entity: Annotated[
        str,
        typer.Argument(
            metavar="NAME|ID", help="A name, a part of one, a type, or an id.", show_default=False
        ),
    ],
    *,
    target: Annotated[
        Path,
        typer.Option(help="The database; with --in, the one it is a copy of.", show_default=False),
    ],
    where: Annotated[
        str | None,
        typer.Option(
            "--in",
            metavar="PLACE",
            help="Look in this instead of the database: a copy, a backup of the vault by name or "
            "number, an archive, or a remote. Each may end in @ and a time.",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--type", help="Only entities of this type.", show_default=False),
    ] = None,
    no_values: Annotated[
        bool, typer.Option("--no-values", help="Print no stored value, only where each is from.")
    ] = False,
    archive: Annotated[Path | None, ARCHIVE_OPTION] = None,
    rules: Annotated[str, RULES_OPTION] = AUTO,
    skip_unreadable: Annotated[bool, SKIP_DAMAGED_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    endpoint: Annotated[str | None, ENDPOINT_OPTION] = None,
    identity_file: IdentityFile = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Show one entity: its fields and their origin, edges, merges.

    A name matches whatever its case and accents. The snapshot is recomputed from the log, so an
    archive has it, too. It prints stored values, because they are what you ask for. Exit code 2:
    several entities match, and are listed.
    """
    from dataclasses import replace

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.entity_view.entity import Beside, show_entity, without_values
    from neotoma_core.entity_view.entity_report import MatchesReport
    from neotoma_core.entity_view.entity_text import entity_text, matches_text
    from neotoma_core.entity_view.naming import read_names, require_named
    from neotoma_core.entity_view.opening import open_view
    from neotoma_core.settings.environment import default_archive_of, default_vault, key_source

    kept = vault or default_vault(target)
    key = key_source(key_file, mnemonic_file)
    around = Around(target, kept, Opening(identity_file, endpoint=endpoint))
    with (
        place_of(where or str(target), around) as place,
        looking(around, key, require_rules(rules), skip_unreadable=skip_unreadable) as how,
        archive_here(default_archive_of(target, archive, vault)) as here,
        TerminalProgress() as progress,
    ):
        view = open_view(place, how, progress)
        names = read_names(view, kind)
        found = require_named(view, names, entity)
        beside = Beside(here.path, kept, key)
        report = show_entity(view, names, found[0], beside) if len(found) == 1 else None
        progress.pause()
    if report is None:
        matches = MatchesReport(place.words, len(found), found[:_LISTED])
        print(matches.to_json() if json else matches_text(matches))
        return _AMBIGUOUS
    report = replace(here.rename(report), next=_next(report, target, where, vault))
    report = without_values(report) if no_values else report
    print(report.to_json() if json else entity_text(report))
    return 0


def _next(
    report: "EntityReport", target: Path, where: str | None, vault: Path | None
) -> str | None:
    """Return the command that goes on from here, if one does."""
    from neotoma_core.words.shell_words import midden_command

    if report.survivor is not None:
        place = ["--in", where] if where else []
        return midden_command("show", report.survivor, target=target, then=place, vault=vault)
    if report.stored in ("differs", "missing"):
        only = ["--check", "--entity", report.entity]
        return midden_command("rebuild", target=target, then=only, vault=vault)
    return None
