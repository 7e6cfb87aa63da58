"""An archive on a store, brought to this machine to be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neotoma_core.archive_mirror.layout import RECORDS
from neotoma_core.archive_mirror.mirror import Mirror, Synced, require_archive, sync
from neotoma_core.archive_mirror.naming import rename_errors
from neotoma_core.errors import RemoteError
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.stores.store import Store


@contextmanager
def bring_archive(
    store: Store, scratch: Path, progress: Progress, *, content: bool = True
) -> Iterator[Synced]:
    """Bring an archive into a new folder of ``scratch``, for a block whose errors name the store.

    All of it is read of the store now: nothing that an earlier run kept counts. Without
    ``content``, its files stay on the store, unless it has no record: then what is wrong with it is
    seen in them. Raises ArchiveError where there is none, RemoteError and its kinds, DiskFull.
    """
    mirror = Mirror(scratch / "archive", store)
    with rename_errors(mirror.folder, store.url):
        synced = require_archive(sync(mirror, progress, content=content))
        if not content and synced.record is None:
            synced = sync(mirror, progress)
        yield synced


def has_archive(store: Store) -> bool:
    """Return whether there is an archive at the address of a store; False where it cannot tell."""
    try:
        return any(store.list(RECORDS))
    except RemoteError:  # said by whatever opens it next
        return False


def strange_objects(synced: Synced) -> tuple[Finding, ...]:
    """Return what lies at the address of an archive and does not belong to it."""
    url = synced.mirror.store.url
    detail = "not an object of the archive"
    return tuple(
        Finding("archive-strange", f"{url}/{name}", detail) for name in synced.listing.unknown
    )
