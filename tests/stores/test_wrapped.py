"""A limit on bytes, by a clock of the test's own; and what is counted."""

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

from neotoma_core.errors import RemoteError
from neotoma_core.stores.many import do_at_once
from neotoma_core.stores.opening import open_store, probe
from neotoma_core.stores.store import Content, Store, Told, untold
from neotoma_core.stores.wrapped import Counted, Limited, Wrapped, limit


@pytest.fixture
def store() -> Store:
    return open_store(f"memory://{token_hex(8)}")


class Clock:
    """Goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_bytes_go_no_faster_than_the_limit(store: Store, tmp_path: Path) -> None:
    clock = Clock()
    slow = Limited(store, 1000, clock.time, clock.sleep)
    for number in range(10):
        assert slow.create(str(number), bytes(500))
    assert clock.now - 100 == pytest.approx(5)
    slow.read("1")
    assert clock.now - 100 == pytest.approx(5.5)
    (tmp_path / "got").write_bytes(bytes(200))
    slow.download("2", tmp_path / "got")
    assert clock.now - 100 == pytest.approx(5.8)


def test_a_time_without_bytes_is_made_up_for_only_in_part(store: Store) -> None:
    clock = Clock()
    slow = Limited(store, 1000, clock.time, clock.sleep)
    clock.now += 3600
    slow.create("one", bytes(1000))
    assert clock.now == 3700
    slow.create("two", bytes(1000))
    assert clock.now == 3701


def test_without_a_limit_it_is_the_same_store(store: Store) -> None:
    assert limit(store, None) is store
    assert isinstance(limit(store, 10), Limited)
    with pytest.raises(ValueError, match="at least one byte"):
        limit(store, 0)


def test_what_is_asked_and_moved_is_counted(store: Store, tmp_path: Path) -> None:
    counted = Counted(store)
    told: list[int] = []
    names = [f"a/{number}" for number in range(2500)]
    made = do_at_once(lambda name: counted.create(name, bytes(10), told.append), names)
    assert all(new for _, new in made)
    assert (counted.traffic.requests, counted.traffic.sent) == (2500, 25_000)
    assert sum(told) == 25_000
    assert len(list(counted.list())) == 2500
    assert counted.traffic.requests == 2503
    counted.read("a/1")
    (tmp_path / "got").write_bytes(bytes(4))
    counted.download("a/1", tmp_path / "got", told.append)
    assert counted.traffic.received == 16
    counted.delete("a/1")
    assert counted.traffic.requests == 2506
    assert counted.url == store.url
    counted.close()


def test_a_download_that_begins_again_counts_all(store: Store, tmp_path: Path) -> None:
    counted = Counted(store)
    counted.create("a", bytes(10))
    (tmp_path / "got").write_bytes(bytes(40))
    counted.download("a", tmp_path / "got")
    assert counted.traffic.received == 10


def test_a_store_around_another_one_is_probed_as_it_is(store: Store) -> None:
    probe(limit(Counted(store), 1 << 30))
    assert list(store.list()) == []


class Failing(Wrapped):
    """Fails at one name."""

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        if name == "100":
            raise RemoteError(self.url, "it failed", "run again")
        return super().create(name, content, told)


def test_many_end_with_the_first_that_fails(store: Store) -> None:
    taken: list[int] = []

    def names() -> Iterator[str]:
        for number in range(10_000):
            taken.append(number)
            yield str(number)

    failing = Failing(store)
    with pytest.raises(RemoteError, match="it failed"):
        list(do_at_once(lambda name: failing.create(name, b"x"), names()))
    assert 100 in taken
    assert len(taken) < 1000
    there = {one.name for one in store.list()}
    assert {str(number) for number in range(60)} <= there
