"""``midden forget``: rewrite backups that still hold what was erased."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)
from neotoma_core.cli.terminal.session import asking_session
from neotoma_core.errors import UsageError

if TYPE_CHECKING:
    from neotoma_core.forget.report import ForgetReport

_INCOMPLETE: Final = 3
_LEFT_ALONE: Final = "no backup was changed"


def forget(
    *,
    target: Annotated[Path, TARGET_OPTION],
    erased: Annotated[
        bool, typer.Option("--erased", help="Forget what `midden erase` has erased.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say which backups hold it; change none.")
    ] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Rewrite backups that still hold what was erased.

    Each backup of the vault that holds anything the ledger names is restored, erased from, stored
    and drilled; only then the old one is removed. Its number, time, pin and acceptance stay. A
    backup that cannot be read or proven stays, and is named (exit code 3). There is no undo.
    """
    from datetime import UTC, datetime

    from neotoma_core.forget.forget import ForgetRequest, forget_erased
    from neotoma_core.forget.text import plan_text, result_text
    from neotoma_core.settings.environment import default_vault, key_source

    if not erased:
        raise UsageError("nothing to forget was named; what was erased: say --erased")
    key = key_source(key_file, mnemonic_file)
    request = ForgetRequest(target, vault or default_vault(target), key)
    with asking_session(yes=yes, json=json, dry_run=dry_run) as session:
        confirm = session.confirmation(plan_text, _question)
        report = forget_erased(request, datetime.now(UTC), confirm, session.progress)
        session.end(
            report,
            result_text,
            rehearsed=lambda _: f"dry run    {_LEFT_ALONE}",
            declined=_LEFT_ALONE,
        )
        if not report.is_complete and report.outcome != "planned":
            raise typer.Exit(_INCOMPLETE)


def _question(report: "ForgetReport") -> str:
    return f"rewrite {len(report.holding):,} backups without it, and remove the old ones?"
