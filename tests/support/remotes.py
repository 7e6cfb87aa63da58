"""Machines that have one memory each, and push to and pull from a remote in memory."""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.retention import RetentionPolicy
from neotoma_core.backup.take import back_up
from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.report import ErasureReport
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.offsite.add import Added, AddRequest, add_remote
from neotoma_core.offsite.prune import GRACE, PruneRemoteRequest, prune_remote
from neotoma_core.offsite.prune_report import RemotePruneReport
from neotoma_core.offsite.rewrite import rewrite_remote
from neotoma_core.offsite.rewrite_report import RewriteReport
from neotoma_core.offsite.verify import VerifyRemoteRequest, verify_remote
from neotoma_core.offsite.verify_report import RemoteVerification as Verification
from neotoma_core.pull.pull import Asking, PullRequest, pull
from neotoma_core.pull.report import PullReport
from neotoma_core.pull.sources import CopyRequest, remote_copies
from neotoma_core.push.push import push
from neotoma_core.push.report import PushReport
from neotoma_core.push.request import PushRequest
from neotoma_core.remotes.known import find_remote
from neotoma_core.remotes.remote import Remote, open_known, read_logs
from neotoma_core.report.progress import Silent
from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
from neotoma_core.stores.opening import open_store
from neotoma_core.stores.store import Store
from tests.conftest import NOW
from tests.support.databases import Row, insert

KEEP = RetentionPolicy(last=100)
YES = Asking(lambda _: True, lambda _: True)


def memory_url() -> str:
    """Return the address of a store in memory that nobody has used yet."""
    return f"memory://{token_hex(8)}"


@dataclass
class Machine:
    """One machine: its database, its vault, and the identities it has. Its clock goes on."""

    folder: Path
    url: str
    database: Path
    identities: tuple[Secret, ...] = ()
    plain: bool = False
    now: datetime = NOW
    around: Any = field(default=None)

    @property
    def vault(self) -> Path:
        """The vault of its database."""
        return self.folder / "vault"

    @property
    def store(self) -> Store:
        """The store, opened; one that a test put around it, where it did."""
        found: Store = self.around or open_store(self.url)
        return found

    def add(self, *, recipients: Sequence[str] = (), keeps: bool = True) -> Added:
        """Add the remote, and have its identity."""
        request = AddRequest(
            "there",
            self.url,
            self.database,
            self.vault,
            self.folder / "there.identity",
            plain=self.plain,
            recipients=tuple(recipients),
            identities=self.identities,
        )

        added = add_remote(request, self.store, lambda _: keeps)
        if added.identity is not None:
            self.identities = (added.identity.secret,)
        return added

    def remote(self, *, reads: bool = True) -> Remote:
        """Return the remote as this machine knows it."""
        known = find_remote(self.vault, "there")
        return open_known(self.vault, known, self.store, self.identities if reads else ())

    def tick(self) -> datetime:
        """Return the time, which is a minute later at every look."""
        self.now += timedelta(minutes=1)
        return self.now

    def push(self, **asked: bool) -> PushReport:
        """Push; a machine that pushes needs no identity."""
        request = PushRequest(self.database, self.vault, **asked)  # type: ignore[arg-type]
        return push(request, self.remote(reads=False), self.tick(), Silent())

    def pull(self) -> PullReport:
        """Pull, and agree to everything."""
        request = PullRequest(CopyRequest(self.database, self.vault))
        return pull(request, self.remote(), self.tick(), YES, Silent())

    def restore(self, to: Path) -> None:
        """Build a database from the log of another machine, or of this one."""
        to.parent.mkdir(exist_ok=True)
        remote = self.remote()
        (log, *_) = read_logs(remote).values()
        copying = CopyRequest(to, self.vault)
        with remote_copies(copying, remote, {log.writer: log}, Silent()) as copies:
            asked = RestoreArchiveRequest(copies[0].archive, to, to.parent / "vault")
            restore_archive(asked, self.tick(), lambda _: True, Silent())

    def back_up(self) -> str:
        """Take a backup and drill it; return its name."""
        request = BackupRequest(self.database, self.vault, "manual", drill=True)
        return back_up(request, self.tick(), Silent()).backup

    def erase(self, *entities: str) -> ErasureReport:
        """Erase entities from the database."""
        asked = EraseRequest(self.database, self.vault, entities=entities)
        with erase_run(asked, self.tick()) as run:
            return erase(run, lambda _: True, Silent())

    def erase_again(self) -> ErasureReport:
        """Erase what came back of what was erased."""
        asked = EraseRequest(self.database, self.vault, again=True)
        with erase_run(asked, self.tick()) as run:
            return erase(run, lambda _: True, Silent())

    def verify(self, *, compares: bool = True, reads: bool = True, **asked: Any) -> Verification:
        """Verify the remote; ``compares``: with the database, too."""
        target = self.database if compares else None
        request = VerifyRemoteRequest(self.vault, target, **asked)
        return verify_remote(request, self.remote(reads=reads), self.tick(), Silent())

    def prune(
        self, policy: RetentionPolicy = KEEP, *, agrees: bool = True, grace: timedelta = GRACE
    ) -> RemotePruneReport:
        """Prune the backups on the remote, and what nothing names."""
        request = PruneRemoteRequest(self.vault, policy, grace)
        remote = self.remote(reads=False)
        return prune_remote(request, remote, self.tick(), lambda _: agrees, Silent())

    def rewrite(self, *, deletes: bool = False) -> RewriteReport:
        """Write the log on the remote again without what was erased."""
        request = PushRequest(self.database, self.vault)
        remote = self.remote(reads=False)
        return rewrite_remote(request, remote, self.tick(), lambda _: deletes, Silent())

    def objects(self) -> dict[str, bytes]:
        """Return all objects of the remote by name."""
        return {one.name: self.store.read(one.name) for one in self.store.list()}

    def replace(self, name: str, content: bytes) -> None:
        """Put another object in the place of one, as no store of ours does."""
        self.store.delete(name)
        assert self.store.create(name, content)

    def add_row(self, table: str, row: Row) -> None:
        """Write one row into the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            insert(connection, table, row)
            connection.commit()

    def run(self, statement: str, *values: object) -> None:
        """Change the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute(statement, values)
            connection.commit()


def copy_machine(made: Machine, folder: Path) -> Machine:
    """Return a copy of a machine in a folder, and of its remote in a store of its own."""
    shutil.copytree(made.folder, folder, dirs_exist_ok=True)
    copy = replace(made, folder=folder, url=memory_url(), database=folder / made.database.name)
    for name, content in made.objects().items():
        assert copy.store.create(name, content)
    return copy


def machine_in(folder: Path) -> Machine:
    """Return the machine in a folder that was copied, whose remote is a folder next to it."""
    text = (folder / "there.identity").read_text()
    identities = (Secret(text.split()[-1]),)
    at = datetime.fromtimestamp((folder / "neotoma.db").stat().st_mtime, UTC)
    return Machine(folder, f"file://{folder.parent}/nas", folder / "neotoma.db", identities, now=at)
