"""Remotes where a backup is named: their logs are brought here for the time of the command."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from neotoma_core.cli.remote.archives import archive_at, archive_here
from neotoma_core.cli.remote.opening import Opening, open_remote_of
from neotoma_core.stores.names import url_of

if TYPE_CHECKING:
    from neotoma_core.pull.sources import CopyRequest
    from neotoma_core.recovery.run.request import RecoverRequest
    from neotoma_core.remotes.copies import RemoteCopy
    from neotoma_core.restore.from_archive import RestoreArchiveRequest
    from neotoma_core.restore.report import ArchiveRestoreReport

    Named = Callable[[ArchiveRestoreReport], ArchiveRestoreReport]


def remote_named(path: Path, vault: Path) -> str | None:
    """Return the address or the name of the remote that a path's words are; None for none.

    A file of that name comes first.
    """
    from neotoma_core.remotes.known import read_remotes

    if url := url_of(path):
        return url
    words = str(path)
    is_known = "/" not in words and any(one.name == words for one in read_remotes(vault))
    return words if is_known and not path.exists() else None


@contextmanager
def with_remotes(
    paths: Sequence[Path], request: "RecoverRequest", opening: Opening
) -> Iterator["RecoverRequest"]:
    """Yield a request with the backups that paths name; for a remote, the copies of its logs."""
    from neotoma_core.find.vault_copies import find_named_backup
    from neotoma_core.pull.sources import CopyRequest

    copying = CopyRequest(request.target, request.vault, request.raw_storage)
    found: list[Path] = []
    called: dict[Path, str] = {}
    with ExitStack() as held:
        for path in paths:
            remote = remote_named(path, request.vault)
            if remote is None:
                found.append(find_named_backup(path, request.vault))
                continue
            archive = held.enter_context(archive_at(remote, request.vault, opening))
            if archive is not None:
                found.append(archive.path)
                called[archive.path] = archive.url or str(archive.path)
                continue
            copies = held.enter_context(bring_logs(remote, copying, opening))
            found += [copy.archive for copy in copies]
        yield replace(request, backups=tuple(found), called=called)


@contextmanager
def bring_logs(
    remote: str | None,
    request: "CopyRequest",
    opening: Opening,
    *,
    one: bool = False,
    writer: str | None = None,
) -> Iterator[tuple["RemoteCopy", ...]]:
    """Bring the logs of a remote here; ``one``: ``writer``'s, this vault's own, or the only one."""
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.pull.sources import choose_log, choose_logs, remote_copies
    from neotoma_core.vault.folder import open_vault

    open_vault(request.vault, request.target)
    with open_remote_of(remote, request.vault, opening) as opened:
        chosen = choose_log(opened, request.vault, writer) if one else choose_logs(opened, writer)
        with TerminalProgress() as progress, ExitStack() as held:
            copies = held.enter_context(remote_copies(request, opened, chosen, progress))
            progress.pause()
            yield copies


@contextmanager
def archive_of(
    archive: Path | None,
    remote: str | None,
    writer: str | None,
    request: "RestoreArchiveRequest",
    opening: Opening,
    *,
    content: bool = True,
) -> Iterator[tuple["RestoreArchiveRequest", "Named"]]:
    """Yield a request with its archive: the one that is named, or a copy of a log of a remote.

    Also what names the archive in a report as the user did. ``content``: see ``archive_here``.
    """
    from neotoma_core.pull.sources import CopyRequest

    if archive is not None:
        with archive_here(archive, content=content) as here:
            yield here.name_in(request), here.rename
        return
    copying = CopyRequest(request.target, request.vault, request.raw_storage)
    with bring_logs(remote, copying, opening, one=True, writer=writer) as copies:
        yield replace(request, archive=copies[0].archive), _as_it_is


def _as_it_is(report: "ArchiveRestoreReport") -> "ArchiveRestoreReport":
    return report
