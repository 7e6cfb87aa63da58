"""Several writers at once: whatever the order of their requests, nothing is lost or doubled."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.push.shipping import NumberTaken, Shipper, blob_of
from neotoma_core.remotes.copies import copy_log
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import Entry
from neotoma_core.remotes.remote import Remote, read_logs
from neotoma_core.report.progress import Silent
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.stores.opening import open_store
from neotoma_core.stores.store import Content, Store, StoredObject, StoreOptions, Told, untold
from neotoma_core.stores.wrapped import Wrapped
from tests.conftest import NOW
from tests.support.databases import entity, make_database, observation
from tests.support.remotes import Machine, memory_url
from tests.support.seaweed import BUCKET, OWNER, REGION, seaweed

WRITERS: Final = 3
ORDERS: Final = 1_000
SAMPLE: Final = 100
WRITER: Final = "0123456789abcdef"


class Turns:
    """Lets one of several writers make one request at a time, in an order drawn from a seed.

    A writer goes on until its next request; only when all wait, or have ended, is one drawn.
    """

    def __init__(self, seed: int, writers: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - the same orders every time
        self._changed = threading.Condition()
        self._running = set(range(writers))
        self._waiting: set[int] = set()

    def take(self, writer: int) -> None:
        """Wait until it is the writer's turn."""
        with self._changed:
            self._waiting.add(writer)
            self._running.discard(writer)
            self._draw()
            self._changed.wait_for(lambda: writer in self._running)

    def end(self, writer: int) -> None:
        """Say that a writer has ended."""
        with self._changed:
            self._running.discard(writer)
            self._draw()

    def _draw(self) -> None:
        if self._waiting and not self._running:
            drawn = self._chance.choice(sorted(self._waiting))
            self._waiting.discard(drawn)
            self._running.add(drawn)
            self._changed.notify_all()


class Turning(Wrapped):
    """A store whose every request waits for its turn."""

    def __init__(self, store: Store, turns: Turns, writer: int) -> None:
        super().__init__(store)
        self._take: Callable[[], None] = lambda: turns.take(writer)

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        self._take()
        return super().create(name, content, told)

    def read(self, name: str) -> bytes:
        self._take()
        return super().read(name)

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        self._take()
        return iter(list(super().list(prefix, after)))


def remote_at(url: str, cache: Path) -> Remote:
    machine = Machine(cache, url, cache / "neotoma.db", plain=True)
    cache.mkdir(exist_ok=True)
    machine.add()
    return machine.remote()


def ship_all(remote: Remote, contents: dict[str, Path], scratch: Path) -> None:
    """Ship, one entry each and in their order, the contents that the log does not name yet."""
    blank = Entry(WRITER, 0, "", NOW, "neotoma.db", None, "v0.22.1")
    while True:
        log = read_logs(remote).get(WRITER, Log(WRITER))
        missing = [name for name in contents if name not in log.raw_files]
        if not missing:
            return
        name = missing[0]
        shipper = Shipper(remote, log, blank, scratch, Silent())
        path = contents[name]
        size = path.stat().st_size
        try:
            shipper.ship([blob_of(remote, sha256_of(path), path, size)], raw_files={name: size})
        except NumberTaken:
            continue


def test_three_writers_of_one_log_in_any_order(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    contents = {}
    for number in range(3):
        path = tmp_path / f"content-{number}"
        path.write_text(f"{number}")
        contents[f"u1/{sha256_of(path)}"] = path
    seen: set[tuple[str, ...]] = set()

    for seed in range(ORDERS if request.config.getoption("--every-failure") else SAMPLE):
        url = memory_url()
        turns = Turns(seed, WRITERS)
        remotes: list[Remote] = []
        for writer in range(WRITERS):
            known = remote_at(url, tmp_path / f"writer-{writer}-{seed}")
            remotes.append(replace(known, store=Turning(known.store, turns, writer)))

        def write(
            writer: int, remotes: list[Remote] = remotes, turns: Turns = turns, seed: int = seed
        ) -> None:
            scratch = tmp_path / f"scratch-{writer}-{seed}"
            scratch.mkdir()
            try:
                begun = sorted(contents)[writer:] + sorted(contents)[:writer]
                ship_all(remotes[writer], {name: contents[name] for name in begun}, scratch)
            finally:
                turns.end(writer)

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write, range(WRITERS)))

        (log,) = read_logs(remote_at(url, tmp_path / f"reader-{seed}")).values()
        named = [name for entry in log.entries for name in entry.raw_files]
        assert sorted(named) == sorted(contents), seed
        seen.add(tuple(named))
    assert len(seen) > 1  # the orders did differ


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_pushes_of_three_machines_at_once(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    url = memory_url() if kind == "memory" else f"file://{folder}"
    machines = [machine_of(tmp_path / f"machine-{number}", url) for number in range(WRITERS)]
    machines[0].add()
    for machine in machines[1:]:
        machine.identities = machines[0].identities
        machine.add()

    for turn in range(3):
        for machine in machines:
            machine.add_row("observations", observation(f"{machine.folder.name}-{turn}"))
        with ThreadPoolExecutor(WRITERS) as pool:
            reports = list(pool.map(lambda machine: machine.push(), machines))
        assert [report.outcome for report in reports] == ["pushed"] * WRITERS

    logs = read_logs(machines[0].remote())
    assert len(logs) == WRITERS
    assert [log.tables["observations"].rows for log in logs.values()] == [4 + 3] * WRITERS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take a real server, and more orders, where every failure is asked for."""
    if "orders" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-failure")
        real = [("s3", range(begin, begin + 3)) for begin in range(0, 30, 3)] if every else []
        metafunc.parametrize(("kind", "orders"), [("memory", range(1)), *real])


@pytest.fixture
def server(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, StoreOptions]]:
    """The address of an empty store, and how it is opened."""
    if kind == "memory":
        yield memory_url(), StoreOptions()
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", OWNER[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", OWNER[1])
    folder = tmp_path / "seaweed"
    folder.mkdir()
    with seaweed(folder) as running:
        yield f"s3://{BUCKET}/pushes", StoreOptions(running.endpoint, REGION)


def test_whole_pushes_in_any_order_of_their_requests(
    orders: range, server: tuple[str, StoreOptions], tmp_path: Path
) -> None:
    url, options = server
    store = open_store(url, options)
    machines = [machine_of(tmp_path / f"machine-{number}", url) for number in range(WRITERS)]
    for machine in machines:
        machine.around, machine.identities = store, machines[0].identities
        machine.add()
    added: dict[str, set[str]] = {machine.folder.name: set() for machine in machines}

    for seed in orders:
        turns = Turns(seed, WRITERS)
        for number, machine in enumerate(machines):
            name = f"{machine.folder.name}-{seed}"
            added[machine.folder.name].add(name)
            machine.add_row("observations", observation(name))
            machine.around = Turning(store, turns, number)

        def push(number: int, turns: Turns = turns) -> str:
            try:
                return machines[number].push().outcome
            finally:
                turns.end(number)

        with ThreadPoolExecutor(WRITERS) as pool:
            assert list(pool.map(push, range(WRITERS))) == ["pushed"] * WRITERS
        for machine in machines:
            machine.around = store

    assert [machine.push().outcome for machine in machines] == ["unchanged"] * WRITERS
    logs = read_logs(machines[0].remote())
    assert [len(log.entries) for log in logs.values()] == [len(orders)] * WRITERS
    begun = {f"o{number}" for number in range(4)}
    found = sorted(sorted(ids_of(machines[0].remote(), log, tmp_path)) for log in logs.values())
    assert found == sorted(sorted(names | begun) for names in added.values())
    assert machines[0].verify().outcome == "pass"
    store.close()


def ids_of(remote: Remote, log: Log, folder: Path) -> list[str]:
    """Return the observations of a log, each as often as it is in it."""
    place = folder / f"look-{log.writer}"
    place.mkdir()
    copied = copy_log(remote, log, place, frozenset(), Silent())
    ids = read_table(open_archive(copied.archive), "observations", ("id",)).require_whole()["id"]
    return ids.to_list()


def machine_of(folder: Path, url: str) -> Machine:
    database = make_database(
        folder / "neotoma.db",
        {
            "entities": [entity("e1")],
            "observations": [observation(f"o{number}") for number in range(4)],
        },
    )
    return Machine(folder, url, database)
