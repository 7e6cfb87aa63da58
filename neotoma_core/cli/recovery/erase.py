"""``midden erase``: remove for good what the law or the user wants gone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.terminal.options import (
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

if TYPE_CHECKING:
    from neotoma_core.erasure.request import EraseRequest

_LEFT_ALONE: Final = "dry run    the target and the ledger were left alone"


def erase(
    *,
    target: Annotated[Path, TARGET_OPTION],
    entity: Annotated[
        list[str] | None,
        typer.Option(
            help="An entity, with everything known about it and everything merged into it; "
            "repeat it.",
            show_default=False,
        ),
    ] = None,
    observation: Annotated[
        list[str] | None,
        typer.Option(help="One observation; repeat it.", show_default=False),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(help="Every row of a user, in every table; repeat it.", show_default=False),
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Erase again what the vault's ledger names and the target has; also finishes "
            "an interrupted erasure.",
        ),
    ] = False,
    even_if_absent: Annotated[
        bool,
        typer.Option(
            "--even-if-absent",
            help="Also record ids that the target does not have, so that no backup brings them in.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", help="Print the plan; leave target and ledger alone."),
    ] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    rules: Annotated[str, RULES_OPTION] = AUTO,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Permanently erase entities, observations or users.

    A salted hash of every erased id goes to the vault's ledger first; recover, restore and rebuild
    leave out what is in it. There is no undo. Backups and evidence keep their bytes.
    """
    from neotoma_core.erasure.request import EraseRequest
    from neotoma_core.settings.environment import default_vault, key_source, raw_storage

    request = EraseRequest(
        target=target,
        vault=vault or default_vault(target),
        entities=tuple(entity or ()),
        observations=tuple(observation or ()),
        users=tuple(user or ()),
        even_if_absent=even_if_absent,
        again=again,
        rules=require_rules(rules),
        key=key_source(key_file, mnemonic_file),
        raw_storage=raw_storage(target),
    )
    _erase(request, dry_run=dry_run, yes=yes, json=json)


def _erase(request: "EraseRequest", *, dry_run: bool, yes: bool, json: bool) -> None:
    from datetime import UTC, datetime

    from neotoma_core.erasure.erase import erase, plan_only
    from neotoma_core.erasure.request import erase_run
    from neotoma_core.erasure.text import plan_text, result_text

    with (
        asking_session(yes=yes, json=json, dry_run=dry_run) as session,
        erase_run(request, datetime.now(UTC)) as run,
    ):
        if dry_run:
            report = plan_only(run, session.progress)
        else:
            confirm = session.confirmation(
                plan_text, lambda plan: f"erase {plan.rows:,} rows of {plan.target} for good?"
            )
            report = erase(run, confirm, session.progress, session.guard("erasing"))
        session.end(report, result_text, rehearsed=lambda r: f"{plan_text(r)}\n{_LEFT_ALONE}")
