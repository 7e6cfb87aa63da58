"""``midden restore``: put a database back to what an evidence folder holds."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.asking import agreed, require_answerable
from neotoma_core.cli.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)


def restore(
    *,
    evidence: Annotated[Path, typer.Argument(help="An evidence folder of the vault.")],
    target: Annotated[Path, TARGET_OPTION],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Prove the evidence; change nothing.")
    ] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Put the target back to what it was when the evidence was taken: the undo of a recovery.

    What is there now is kept as new evidence first. What was erased since does not come back. Raw
    files stay: they harm nothing.
    """
    from datetime import UTC, datetime

    from neotoma_core.cli.progress import TerminalProgress
    from neotoma_core.ops.restore import check_evidence, restore_evidence
    from neotoma_core.settings import default_vault, key_source

    if not dry_run:
        require_answerable(yes=yes)
    copy = check_evidence(evidence)
    says = f"{copy}" if copy else "that there was no database"
    if dry_run:
        print(f"evidence   proven: it holds {says}")
        return
    if not agreed(f"put {target} back to {says}?", yes=yes):
        print("declined   nothing was changed")
        return
    with TerminalProgress() as progress:
        report = restore_evidence(
            evidence,
            target,
            vault or default_vault(target),
            datetime.now(UTC),
            progress,
            key=key_source(key_file, mnemonic_file),
        )
    if json:
        print(report.to_json())
        return
    print(f"restored   {target}")
    if report.erased:
        print(f"erased     {report.erased:,} rows that were erased before were left out")
    print(f"undo       {report.undo}")
