"""Pushing to and pulling from every kind of store, as two machines do."""

import shutil
from pathlib import Path

from neotoma_core.offsite.verify import VerifyRemoteRequest, verify_remote
from neotoma_core.remotes.remote import read_logs
from neotoma_core.report.progress import Silent
from neotoma_core.stores.store import Store
from neotoma_core.stores.wrapped import Counted
from tests.support import raw
from tests.support.archiving import log_of
from tests.support.databases import insert_all, observation
from tests.support.remotes import Machine


def machine(folder: Path, store: Store) -> Machine:
    raw.put(folder / "sources", b"raw")
    database = raw.database(folder / "neotoma.db", b"raw")
    rows = {"observations": [observation(f"begun-{number}") for number in range(4)]}
    insert_all(database, rows)
    return Machine(folder, store.url, database, around=store)


def test_two_machines_over_every_kind_of_store(store: Store, tmp_path: Path) -> None:
    counted = Counted(store)
    one = machine(tmp_path / "one", counted)
    one.add()
    assert one.push().outcome == "pushed"
    shutil.copytree(one.folder, tmp_path / "other", ignore=shutil.ignore_patterns("vault"))
    other = Machine(
        tmp_path / "other",
        store.url,
        tmp_path / "other" / "neotoma.db",
        one.identities,
        around=store,
    )
    assert other.add().outcome == "joined"
    other.add_row("observations", observation("from-other"))
    raw.put(other.folder / "sources", b"theirs")
    other.push()

    one.pull()
    one.push()
    other.pull()

    rows = [
        {table: sorted(map(repr, cells)) for table, cells in log_of(each.database).items()}
        for each in (one, other)
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]["observations"]) == 6
    asked = counted.traffic.requests
    assert one.push().outcome == "unchanged"
    assert counted.traffic.requests == asked + 1
    request = VerifyRemoteRequest(one.vault, one.database)
    verified = verify_remote(request, one.remote(), one.tick(), Silent())
    assert (verified.outcome, verified.findings) == ("pass", ())
    assert verified.read == verified.contents > 4


def test_a_remote_restores_a_machine_that_is_gone(store: Store, tmp_path: Path) -> None:
    one = machine(tmp_path / "one", store)
    one.add()
    one.push()
    kept = log_of(one.database)
    shutil.rmtree(one.folder)
    nothing = Machine(
        tmp_path / "new", store.url, tmp_path / "new" / "neotoma.db", one.identities, around=store
    )
    nothing.folder.mkdir()
    nothing.add()

    nothing.restore(nothing.database)

    assert log_of(nothing.database) == kept
    assert len(read_logs(nothing.remote())) == 1
