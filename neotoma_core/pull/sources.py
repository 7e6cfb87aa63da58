"""The logs of a remote, brought to this machine as copies of the database."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.errors import RemoteError, UsageError
from neotoma_core.files.private import make_folders
from neotoma_core.files.scratch import scratch_in
from neotoma_core.ledger.file import read_erased
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.remotes.copies import RemoteCopy, copy_log
from neotoma_core.remotes.kept_parts import forget_unnamed
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.own import own_archive, own_log
from neotoma_core.remotes.remote import Remote, read_logs
from neotoma_core.report.progress import Progress
from neotoma_core.vault.raw_folders import folders_in_use

_SHORT: Final = 8


@dataclass(frozen=True, slots=True)
class CopyRequest:
    """For which database the copies are; ``raw_storage``: where Neotoma keeps its raw files.

    ``rows_only``: raw files are not brought. ``keeps_parts``: what was read is kept, so that the
    next time only what is new is read.
    """

    target: Path
    vault: Path
    raw_storage: Path | None = None
    rows_only: bool = False
    keeps_parts: bool = False


@contextmanager
def remote_copies(
    request: CopyRequest, remote: Remote, logs: Mapping[str, Log], progress: Progress
) -> Iterator[tuple[RemoteCopy, ...]]:
    """Bring logs to this machine, in the order of their last entries, for as long as they are used.

    With the raw files that the target lacks. Raises RemoteError where there are none,
    RemoteDamaged, IdentityMissing, IdentityWrong, DiskFull, and what a store raises.
    """
    if not logs:
        wrong = "nothing was ever pushed to it"
        raise RemoteError(remote.name, wrong, "push to it first: midden push")
    make_folders(remote.cache)
    newest_last = sorted(logs.values(), key=lambda log: (log.entries[-1].at, log.writer))
    keeping = read_erased(request.vault) if request.keeps_parts else None
    with scratch_in(remote.cache) as scratch:
        copies = []
        for log in reversed(newest_last):
            folder = scratch / f"log-{log.writer[:_SHORT]}"
            make_folders(folder)
            missing = _missing(request, log)
            copies.append(copy_log(remote, log, folder, missing, progress, keeping=keeping))
        if request.keeps_parts:
            forget_unnamed(remote, logs)
        yield tuple(copies)


def choose_logs(remote: Remote, words: str | None) -> dict[str, Log]:
    """Return the logs of a remote, or the one whose writer begins so; raises UsageError."""
    logs = read_logs(remote)
    if words is None:
        return logs
    found = {writer: log for writer, log in logs.items() if writer.startswith(words)}
    if len(found) != 1:
        names = ", ".join(writer[:_SHORT] for writer in logs)
        raise UsageError(f"{words}: no log of {remote.name} has that name; there are: {names}")
    return found


def choose_log(remote: Remote, vault: Path, words: str | None) -> dict[str, Log]:
    """Return one log: the one named, or this vault's own, or the only one there is.

    Raises UsageError where it may be several.
    """
    logs = choose_logs(remote, words)
    own = own_log(vault, logs, own_archive(vault))
    if own.entries and words is None:
        return {own.writer: own}
    if len(logs) > 1:
        newest = max(logs.values(), key=lambda log: log.entries[-1].at)
        names = ", ".join(writer[:_SHORT] for writer in logs)
        raise UsageError(
            f"{remote.name}: it has {len(logs):,} logs, of as many machines; say which with "
            f"--writer ({names}); the newest is {newest.writer[:_SHORT]}; to have what all of them "
            "hold, use `midden recover --backup`"
        )
    return logs


def _missing(request: CopyRequest, log: Log) -> set[str]:
    """Return the raw files that the target has in none of its folders, if any are wanted."""
    if request.rows_only:
        return set()
    environment = environment_of(request.target.name)
    folders = folders_in_use(request.target, environment, request.raw_storage)
    return {name for name in log.raw_files if not any((f.path / name).is_file() for f in folders)}
