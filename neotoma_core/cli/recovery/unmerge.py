"""``midden unmerge``: undo a merge of entities, which Neotoma cannot."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.remote.archives import archive_here
from neotoma_core.cli.terminal.options import (
    ARCHIVE_OPTION,
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    RULES_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)
from neotoma_core.cli.terminal.session import asking_session
from neotoma_core.snapshots.choosing import AUTO, require_rules


def unmerge(
    *,
    target: Annotated[Path, TARGET_OPTION],
    merge_id: Annotated[
        str, typer.Option(help="The id of the merge in entity_merges.", show_default=False)
    ],
    archive: Annotated[Path | None, ARCHIVE_OPTION] = None,
    incomplete: Annotated[
        bool,
        typer.Option(
            "--incomplete",
            help="Give back what the archive saw, even if the merge moved more.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Print the plan; leave the target alone.")
    ] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    rules: Annotated[str, RULES_OPTION] = AUTO,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Undo a merge of entities: give each its observations back.

    Edges go back, too. The archive knows which, so it must have seen them before the merge. The
    audit row of the merge stays, and the snapshots of both entities are recomputed. Asks first;
    ends by printing the undo.
    """
    from datetime import UTC, datetime

    from neotoma_core.runs.begin import Whereabouts, present_run, reading_run
    from neotoma_core.settings.environment import default_archive_of, default_vault, key_source
    from neotoma_core.unmerge.report import plan_text, result_text
    from neotoma_core.unmerge.unmerge import UnmergeRequest
    from neotoma_core.unmerge.unmerge import unmerge as undo_merge

    place = default_archive_of(target, archive, vault)
    kept = vault or default_vault(target)
    where = Whereabouts(target, kept, key_source(key_file, mnemonic_file))
    begin = reading_run if dry_run else present_run
    with (
        archive_here(place) as here,
        asking_session(yes=yes, json=json, dry_run=dry_run) as session,
        begin(where, datetime.now(UTC)) as run,
    ):
        confirm = session.confirmation(plan_text, lambda plan: f"write this to {plan.target}?")
        request = UnmergeRequest(merge_id, here.path, incomplete, require_rules(rules))
        report = undo_merge(run, request, confirm, session.progress)
        session.end(here.rename(report), result_text)
