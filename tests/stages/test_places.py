"""Places of parts on a store: what is read of an object, and what a worker keeps of files."""

import io
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.errors import ObjectMissing
from neotoma_core.stages import pieces, places
from neotoma_core.stages.fetching import fetch
from neotoma_core.stages.parts import Made, make_part
from neotoma_core.stages.pieces import PiecesOf
from neotoma_core.stages.places import Folder, OnStore, Place
from neotoma_core.stores.opening import open_store
from neotoma_core.stores.store import StoredObject
from neotoma_core.stores.wrapped import Wrapped

STEP = st.tuples(st.sampled_from(["set", "end", "read", "all"]), st.integers(0, 3_000))


@pytest.fixture
def origin() -> OnStore:
    return OnStore(f"memory://{token_hex(8)}/parts")


@pytest.fixture(params=["folder", "store"])
def place(request: pytest.FixtureRequest, origin: OnStore, tmp_path: Path) -> Iterator[Place]:
    made: Place = Folder(tmp_path) if request.param == "folder" else origin
    with made.for_a_job() as job:
        yield job
    assert not list(tmp_path.iterdir())
    assert not list(origin.store.list())


@pytest.mark.parametrize("at_least", [1, 64, 1 << 20])
@given(steps=st.lists(STEP, max_size=20), size=st.integers(0, 2_000))
def test_pieces_read_like_a_file(at_least: int, steps: list[tuple[str, int]], size: int) -> None:
    content = bytes(n * n % 251 for n in range(size))
    store = open_store(f"memory://{token_hex(8)}/x")
    store.create("object", content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_AT_LEAST", at_least)
        file, known = PiecesOf(store, "object", size), io.BytesIO(content)
        for what, number in steps:
            if what == "set":
                assert file.seek(number) == known.seek(number)
            elif what == "end":
                back = min(number, size)
                assert file.seek(-back, io.SEEK_END) == known.seek(-back, io.SEEK_END)
            elif what == "read":
                assert file.read(number) == known.read(number)
            else:
                assert file.read() == known.read()
            assert file.tell() == known.tell()


def test_a_part_is_made_once_and_read_by_its_batches(place: Place) -> None:
    batches = [pl.DataFrame({"n": [n] * n}, schema={"n": pl.Int64}) for n in range(3)]
    part = make_part(place, "stage", 7, lambda: Made(batches, {"facts": batches[2]}))
    other = make_part(place, "stage", 7, lambda: Made([], {}))
    assert other == part
    assert [part.batch(number).rows() for number in range(3)] == [[], [(1,)], [(2,), (2,)]]
    assert part.facts()["facts"].equals(batches[2])
    part.remove()
    part.remove()
    assert place.size_of(part.name) is None


def test_of_two_that_make_a_part_at_once_one_part_is_there(place: Place) -> None:
    def make() -> Made:
        make_part(place, "stage", 0, lambda: Made([pl.DataFrame({"n": [1]})], {}))
        return Made([pl.DataFrame({"n": [1]})], {})

    assert make_part(place, "stage", 0, make).batch(0).rows() == [(1,)]


def test_a_part_that_is_gone_again_is_not_taken_for_an_empty_one(
    origin: OnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Losing(Wrapped):
        def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
            for one in list(super().list(prefix, after)):
                self.delete(one.name)
            return super().list(prefix, after)

    losing = Losing(origin.store)
    monkeypatch.setattr(places, "_open_once", lambda *_: losing)
    assert origin.write("part", lambda _: None) == 0
    with pytest.raises(ObjectMissing):
        origin.write("part", lambda _: None)


def test_the_last_files_that_were_fetched_stay(origin: OnStore) -> None:
    store = origin.store
    for number in range(4):
        store.create(f"f{number}", str(number).encode())
    with fetch(origin, "f0") as first:
        for number in range(1, 4):
            with fetch(origin, f"f{number}") as path:
                assert path.read_bytes() == str(number).encode()
        assert first.read_bytes() == b"0"  # it is being read
        store.delete("f3")
        with fetch(origin, "f3") as path:
            assert path.read_bytes() == b"3"  # not fetched again
    with fetch(origin, "f2") as path:
        assert path.read_bytes() == b"2"
    assert not first.exists()


def test_what_is_not_there_is_fetched_once_it_is(origin: OnStore) -> None:
    with fetch(origin, "late") as path:
        assert not path.exists()
    origin.store.create("late", b"1")
    with fetch(origin, "late") as path:
        assert path.read_bytes() == b"1"
