"""``midden push``: ship what is new to a remote."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neotoma_core.cli.remote.opening import (
    IdentityFile,
    Limit,
    Opening,
    RemoteName,
    bytes_a_second,
    open_remote_of,
)
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    OTHER_DATABASE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
)
from neotoma_core.cli.terminal.spans import span_of
from neotoma_core.errors import AnomalyFound

if TYPE_CHECKING:
    from neotoma_core.push.report import PushReport


def push(
    *,
    target: Annotated[Path, TARGET_OPTION],
    remote: RemoteName = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow the database and push what it commits.")
    ] = False,
    every: Annotated[str, typer.Option(help="With --watch: how often to look, e.g. 5s.")] = "5s",
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Push the database even if much of it is gone."),
    ] = False,
    no_backups: Annotated[
        bool, typer.Option("--no-backups", help="Push the log and raw files only.")
    ] = False,
    allow_environment_mismatch: Annotated[bool, OTHER_DATABASE_OPTION] = False,
    identity_file: IdentityFile = None,
    bwlimit: Limit = None,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Push what is new to a remote: log, raw files, backups.

    An interrupted push is completed by the next one. If much is missing from the database, its
    state is held back (exit code 6), and what was taken before is pushed.
    """
    from datetime import UTC, datetime

    from neotoma_core.cli.remote.watching import Listening
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.push.push import push as push_database
    from neotoma_core.push.report import push_text
    from neotoma_core.push.request import PushRequest
    from neotoma_core.push.watch import EVERY, Rhythm
    from neotoma_core.push.watch import watch as watch_database
    from neotoma_core.settings.alerts import push_alerting
    from neotoma_core.settings.environment import default_vault, key_source, raw_storage

    request = PushRequest(
        target=target,
        vault=vault or default_vault(target),
        key=key_source(key_file, mnemonic_file),
        raw_storage=raw_storage(target),
        accept_loss=accept_loss,
        other_database=allow_environment_mismatch,
        backups=not no_backups,
    )
    rhythm = Rhythm(lambda: datetime.now(UTC), span_of(every, "--every") or EVERY)
    opening = Opening(identity_file, bytes_a_second(bwlimit))

    def show(report: "PushReport") -> str:
        return report.to_json() if json else push_text(report)

    with TerminalProgress() as progress, open_remote_of(remote, request.vault, opening) as opened:
        if watch:
            progress.pause()
            watch_database(request, opened, rhythm, Listening(request, push_alerting(target), show))
            return 0
        report = push_database(request, opened, datetime.now(UTC), progress)
        progress.pause()
    print(show(report))
    return AnomalyFound.exit_code if report.outcome == "held" else 0
