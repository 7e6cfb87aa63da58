"""Archives where a folder may be named: one on a store is brought here for the command."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from neotoma_core.cli.remote.opening import Opening
from neotoma_core.stores.names import url_of

if TYPE_CHECKING:
    from neotoma_core.archive_mirror.mirror import Synced
    from neotoma_core.report.findings import Finding
    from neotoma_core.restore.from_archive import RestoreArchiveRequest
    from neotoma_core.stages.places import OnStore
    from neotoma_core.stores.store import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ArchiveHere:
    """An archive in a folder. ``url``: where it is in truth, if that is a store.

    ``strange``: what else is at that address; None for a folder. ``origin``: where its files are,
    if only its logs were brought.
    """

    path: Path
    url: str | None = None
    strange: "tuple[Finding, ...] | None" = None
    origin: "OnStore | None" = None

    def name_in(self, request: "RestoreArchiveRequest") -> "RestoreArchiveRequest":
        """Return a request for a database built of this archive."""
        from neotoma_core.stages.runner import Work

        return replace(request, archive=self.path, job=Work(origin=self.origin))

    def rename(self, report: T) -> T:
        """Return a report in which the archive has the name that the user gave it."""
        from neotoma_core.archive_mirror.naming import rename_report

        return report if self.url is None else rename_report(report, self.path, self.url)


@contextmanager
def archive_here(place: Path, *, content: bool = True) -> Iterator[ArchiveHere]:
    """Yield the archive that is named, brought here where it is on a store.

    Without ``content``, only its logs are: others read its files.

    Raises RemoteError and its kinds, ArchiveError, DiskFull.
    """
    from neotoma_core.settings.environment import store_options
    from neotoma_core.stores.opening import hold_store

    url = url_of(place)
    if url is None:
        yield ArchiveHere(place)
        return
    with hold_store(url, store_options()) as store, _bring(store, content=content) as synced:
        from neotoma_core.archive_mirror.bringing import strange_objects
        from neotoma_core.stages.places import OnStore

        origin = None if content else OnStore(store.url, store_options())
        yield ArchiveHere(synced.mirror.folder, store.url, strange_objects(synced), origin)


@contextmanager
def archive_at(words: str, vault: Path, opening: Opening) -> Iterator[ArchiveHere | None]:
    """Yield the archive at an address, brought here; None where that is a remote, or none."""
    from neotoma_core.archive_mirror.bringing import has_archive
    from neotoma_core.remotes.known import read_remotes
    from neotoma_core.settings.environment import store_options
    from neotoma_core.stores.opening import hold_store

    url = url_of(words)
    if url is None or any(one.url == url for one in read_remotes(vault)):
        yield None
        return
    with hold_store(url, store_options(opening.endpoint)) as store:
        if not has_archive(store):
            yield None
            return
        with _bring(store) as synced:
            yield ArchiveHere(synced.mirror.folder, store.url)


@contextmanager
def _bring(store: "Store", *, content: bool = True) -> "Iterator[Synced]":
    from neotoma_core.archive_mirror.bringing import bring_archive
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.files.scratch import private_scratch

    with (
        private_scratch() as scratch,
        TerminalProgress() as progress,
        bring_archive(store, scratch, progress, content=content) as synced,
    ):
        progress.pause()
        yield synced
