"""What a process that read a hostile file says is read as what it is a model of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from neotoma_core.comparison.holdings import Coder, Holdings
from neotoma_core.documents.models import NotAsModelled
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.files.keys import KeyFile, KeySource, Mnemonic, MnemonicFile
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.salvage.examining import examine
from neotoma_core.unpacking.unpack import Unpacked
from neotoma_core.workers.answers import plain_of_unpacked, read_unpacked
from neotoma_core.workers.archive_answers import plain_of_looked, read_looked
from neotoma_core.workers.examined import plain_of_examined, read_examined, table_to_bytes
from neotoma_core.workers.framing import from_bytes, to_bytes
from neotoma_core.workers.setting import Setting, setting_from_plain, setting_to_plain
from tests.support.databases import make_database
from tests.support.proven import observe, owner, store

Said = tuple[dict[str, Any], dict[str, bytes]]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    rows = {
        "observations": [observe(n) for n in range(5)],
        "entities": [owner()],
        "sources": [store(1)],
    }
    path = make_database(tmp_path / "a\udcff.db", rows)
    coder = Coder()
    examined = examine(path, path, tmp_path / "scratch", coder)
    assert examined is not None
    plain, tables = plain_of_examined(examined, coder)
    return from_bytes(to_bytes(plain)), tables


def rows_of(holdings: Holdings | None) -> dict[str, list[tuple[object, ...]]]:
    assert holdings is not None
    frames = {**holdings.ids, **{f"made {n}": f for n, f in holdings.made.items()}}
    frames |= {f"random {n}": f for n, f in holdings.random.items()}
    return {name: sorted(frame.rows()) for name, frame in frames.items()}


def test_a_copy_read_in_another_process_is_as_one_read_in_this_one(
    said: Said, tmp_path: Path
) -> None:
    coder = Coder()
    path = tmp_path / "a\udcff.db"
    here = examine(path, path, tmp_path / "here", coder)
    there = read_examined(*said, tmp_path, coder)
    assert here is not None
    assert (here.state, here.content, here.mtime_ns) == (there.state, there.content, there.mtime_ns)
    assert rows_of(here.holdings) == rows_of(there.holdings)
    assert here.holdings is not None
    assert there.holdings is not None
    for fact in ("rows", "days", "types", "first", "last", "version", "unproven", "made_span"):
        assert getattr(here.holdings, fact) == getattr(there.holdings, fact)


ROW = pl.DataFrame({"row": [0], "name": ["x"]}, schema={"row": pl.UInt32, "name": pl.String})
TIMED = pl.DataFrame({"row": [0], "made": [1]}, schema={"row": pl.UInt32, "made": pl.UInt64})


@pytest.mark.parametrize(
    "facts",
    [
        {"salvaged": "../../etc/passwd"},
        {"salvaged": "/etc/passwd"},
        {"salvaged": "a\0b"},
        {"size": "many"},
        {"journal_bytes": -1},
        {"state": "splendid"},
        {"held": {"rows": 3}},
        {"unknown": 1},
    ],
)
def test_facts_that_cannot_be_are_refused(
    facts: dict[str, object], said: Said, tmp_path: Path
) -> None:
    with pytest.raises(NotAsModelled):
        read_examined({**said[0], **facts}, said[1], tmp_path, Coder())


@pytest.mark.parametrize(
    "tables",
    [
        {"ids observations": b"no table"},
        {"ids observations": table_to_bytes(TIMED)},
        {"ids observations": table_to_bytes(ROW.clear().vstack(ROW).with_columns(name=None))},
        {"made nothing": table_to_bytes(TIMED)},
    ],
)
def test_tables_that_cannot_be_are_refused(
    tables: Mapping[str, bytes], said: Said, tmp_path: Path
) -> None:
    with pytest.raises(NotAsModelled):
        read_examined(said[0], {**said[1], **tables}, tmp_path, Coder())


def test_what_is_no_document_is_refused(tmp_path: Path) -> None:
    for nonsense in (b"[" * 100_000, b"\xff", b""):
        with pytest.raises(NotAsModelled):
            from_bytes(nonsense)
    documents: tuple[object, ...] = (None, [], {"all": [{"path": "../x"}]})
    for document in documents:
        with pytest.raises(NotAsModelled):
            read_unpacked(document, tmp_path)


def test_an_archive_read_in_another_process_is_as_one_read_in_this_one(said: Said) -> None:
    held, tables = said[0]["held"], said[1]
    facts = {"problem": None, "appended": "2026-03-12T09:00:00+00:00", "environment": "production"}
    coder = Coder()
    looked = read_looked({**facts, "held": held}, tables, coder)
    plain, sent = plain_of_looked(looked, coder)
    document = from_bytes(to_bytes(plain))
    assert document == {**facts, "held": held}
    assert rows_of(read_looked(document, sent, coder).holdings) == rows_of(looked.holdings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"held": None},
        {"problem": "damaged"},
        {"appended": "yesterday"},
        {"appended": "2026-03-12T09:00:00"},
        {"environment": "elsewhere"},
        {"more": 1},
    ],
)
def test_facts_of_an_archive_that_cannot_be_are_refused(said: Said, wrong: dict[str, Any]) -> None:
    facts = {"problem": None, "appended": None, "environment": None, "held": said[0]["held"]}
    read_looked(facts, said[1], Coder())
    with pytest.raises(NotAsModelled):
        read_looked({**facts, **wrong}, said[1], Coder())


def test_what_is_taken_out_keeps_its_odd_names(tmp_path: Path) -> None:
    taken = [
        Unpacked(
            tmp_path / "file-0" / "a\udcff\n.db", "b!a\udcff\n.db", raw_files=True, damage="cut"
        ),
        Unpacked(None, "", "it is damaged"),
    ]
    plain = from_bytes(to_bytes(plain_of_unpacked(taken, tmp_path)))
    assert read_unpacked(plain, tmp_path) == taken


@pytest.mark.parametrize(
    "key",
    [
        None,
        KeyFile(Path("/a\udcff")),
        MnemonicFile(Path("/words"), Secret("pass")),
        Mnemonic("the environment", Secret("a b c"), Secret("")),
    ],
)
def test_a_setting_is_the_same_in_another_process(key: KeySource | None) -> None:
    other = ErasedIds(b"\1", {"entity": frozenset({"cd"})})
    erased = ErasedIds(b"\0", {"entity": frozenset({"ab"})}, (other,))
    there = setting_from_plain(from_bytes(to_bytes(setting_to_plain(Setting(erased, key)))))
    assert there.erased == erased
    assert setting_to_plain(there) == setting_to_plain(Setting(erased, key))
    assert type(there.key) is type(key)
