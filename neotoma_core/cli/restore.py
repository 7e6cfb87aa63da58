"""``midden restore``: put a database back to what an evidence folder holds."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.asking import agreed, require_answerable
from neotoma_core.cli.options import (
    AS_OF_OPTION,
    FROM_ARCHIVE_OPTION,
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    SKIP_DAMAGED_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)
from neotoma_core.errors import UsageError


def restore(
    *,
    evidence: Annotated[
        Path | None,
        typer.Argument(help="An evidence folder of the vault.", show_default=False),
    ] = None,
    target: Annotated[Path, TARGET_OPTION],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Prove the evidence; change nothing.")
    ] = False,
    from_archive: Annotated[Path | None, FROM_ARCHIVE_OPTION] = None,
    as_of: Annotated[str | None, AS_OF_OPTION] = None,
    skip_unreadable: Annotated[bool, SKIP_DAMAGED_OPTION] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Put the target back to what it was when the evidence was taken: the undo of a recovery.

    With --from-archive: to what the archive says it held at its last run, or as of a time.

    What is there now is kept as new evidence first. What was erased since does not come back. Raw
    files stay: they harm nothing.
    """
    from datetime import UTC, datetime

    from neotoma_core.cli.progress import TerminalProgress
    from neotoma_core.ops.restore import check_evidence, restore_evidence
    from neotoma_core.settings import default_vault, key_source

    if not dry_run:
        require_answerable(yes=yes)
    if from_archive is not None and evidence is None:
        from neotoma_core.cli.restore_archive import restore_from_archive
        from neotoma_core.ops.restore_archive import RestoreArchiveRequest

        request = RestoreArchiveRequest(
            from_archive,
            target,
            vault or default_vault(target),
            as_of,
            key=key_source(key_file, mnemonic_file),
            skip_unreadable=skip_unreadable,
        )
        restore_from_archive(request, dry_run=dry_run, yes=yes, json=json)
        return
    if evidence is None or from_archive or as_of:
        raise UsageError(
            "name an evidence folder, or an archive with --from-archive; --as-of "
            "goes with an archive"
        )
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
