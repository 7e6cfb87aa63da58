"""What is large or odd is rebuilt like everything else, in buckets; a full disk harms nothing."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.neotoma.schemas import Registry
from neotoma_core.rebuild import spilling
from neotoma_core.reduce.exact.reading import ObservationRow, reduce_entity
from neotoma_core.reduce.exact.rule_sets import R22
from tests.rebuild.test_schemas import schema
from tests.support.databases import count, entity, make_database, observation, read_all
from tests.support.rebuilding import check, drift_of, export, rebuild

BUCKETS = 7


@pytest.fixture
def in_small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spilling, "_BUCKET_ROWS", 900)


def snapshots(path: Path) -> dict[str, tuple[str, str, int]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT entity_id, snapshot, provenance, observation_count FROM entity_snapshots"
        )
        return {name: (snapshot, source, counted) for name, snapshot, source, counted in rows}


@pytest.mark.usefixtures("in_small_buckets")
def test_many_buckets_find_what_one_finds(incident: Path) -> None:
    target = incident / "backups" / "neotoma.prod.db.db"
    report = check(target)
    assert report.buckets == BUCKETS
    assert report.drifts == 0
    healthy = read_all(target)
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("DELETE FROM entity_snapshots WHERE rowid % 2")
        connection.execute("DELETE FROM relationship_snapshots WHERE rowid % 2")
        connection.execute(
            "INSERT INTO entity_snapshots (entity_id, entity_type, schema_version) "
            "VALUES ('ghost', 'note', '1.0')"
        )
    assert ("unexpected", "ghost") in drift_of(check(target))
    done = rebuild(target)
    assert done.outcome == "rebuilt"
    assert set(read_all(target)["entity_snapshots"]) == set(healthy["entity_snapshots"])
    assert count(target, "relationship_snapshots") == 400


@pytest.mark.usefixtures("in_small_buckets")
def test_an_export_of_many_buckets_has_every_entity_once(incident: Path, tmp_path: Path) -> None:
    target = incident / "backups" / "neotoma.prod.db.db"
    report = export(target, tmp_path / "out.parquet")
    assert report.buckets == BUCKETS
    assert report.derived[0].inserted == 3850


def test_an_entity_with_very_many_observations(tmp_path: Path) -> None:
    rows = [
        observation(f"{n:06x}", fields=f'{{"title":"{n}","n":{n % 10}}}', source_priority=n % 5)
        for n in range(20_000)
    ]
    target = make_database(tmp_path / "t.db", {"entities": [entity("e1")], "observations": rows})
    rebuild(target)
    assert snapshots(target)["e1"] == (
        '{"title":"0","n":0}',
        '{"title":"000000","n":"000000"}',
        20_000,
    )


def test_an_observation_of_ten_megabytes(tmp_path: Path) -> None:
    text = "x" * (10 << 20)
    target = make_database(
        tmp_path / "t.db",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [
                observation("a", fields=f'{{"body":"{text}"}}'),
                observation("b", "e2"),
            ],
        },
    )
    rebuild(target)
    assert snapshots(target)["e1"][0] == f'{{"body":"{text}"}}'
    assert check(target).drifts == 0


def test_five_thousand_fields_in_one_type(tmp_path: Path) -> None:
    names = [f"field_{n}" for n in range(5_000)]
    definition = {"fields": {name: {"type": "string"} for name in names}}
    everything = json.dumps(dict.fromkeys(names, "v"), separators=(",", ":"))  # noqa: TID251 - a test's input
    each = [
        observation(f"{n:04x}", f"e{n % 50}", fields=f'{{"{name}":"{n}"}}')
        for n, name in enumerate(names)
    ]
    target = make_database(
        tmp_path / "t.db",
        {
            "observations": [observation("all", "whole", fields=everything), *each],
            "schema_registry": [schema("note", definition)],
        },
    )
    rebuild(target)
    assert snapshots(target)["whole"][0] == everything
    assert len(json.loads(snapshots(target)["e7"][0])) == 100


PLAIN_KEYS = ("", " ", "7", "0", "__proto__", "a.b", "a'b", 'q"q')
ODD_KEYS = (
    *PLAIN_KEYS,
    "\\",
    "\n",
    "\u2028",
    "\u043a\u043b\u044e\u0447",
    "\U0001f42d",
    "x" * 9_000,
)


def test_keys_with_any_character(tmp_path: Path) -> None:
    text = json.dumps({key: n for n, key in enumerate(ODD_KEYS)})  # noqa: TID251 - a test's input
    rows = [observation("a", fields=text), observation("b", 'e "2"\n\u2028', fields=text)]
    target = make_database(tmp_path / "t.db", {"observations": rows})
    rebuild(target)
    for row in rows:
        cells = {name: row.get(name) for name in ObservationRow.__dataclass_fields__}
        read = ObservationRow(**{**cells, "rowid": 1})  # type: ignore[arg-type]  # as written above
        expected = reduce_entity([read], Registry(), R22)
        assert expected is not None
        assert snapshots(target)[str(row["entity_id"])][0] == expected.snapshot


REBUILD = """
import resource, sys
from neotoma_core.cli.app import main
from neotoma_core.sqlite import buckets
buckets._HELD_BYTES = 0
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
main()
"""


@pytest.mark.parametrize("room", [-4096, 4096], ids=["evidence", "spill"])
def test_a_disk_that_fills_leaves_the_target_and_no_spill(room: int, tmp_path: Path) -> None:
    # Short cells: a bucket says where each of them ends, which takes more room than SQLite's rows.
    rows = [observation(f"{n:05x}", f"e{n}", fields="{}") for n in range(20_000)]
    target = make_database(tmp_path / "t.db", {"observations": rows})
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        for index in ("entity_id", "sighting_key", "canonical_key"):
            connection.execute(f"DROP INDEX idx_observations_{index}")
        connection.execute("VACUUM")
    before = target.read_bytes()
    limit = target.stat().st_size + room
    words = ("rebuild", "--target", str(target), "--yes", "--vault", str(tmp_path / "vault"))
    done = subprocess.run(
        [sys.executable, "-c", REBUILD, str(limit), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 14, done.stderr
    assert "the disk is full; nothing was changed" in done.stderr
    assert target.read_bytes() == before
    assert list((tmp_path / "vault" / "work").iterdir()) == []


def test_memory_does_not_grow_with_the_bodies_of_a_log(tmp_path: Path) -> None:
    body = "x" * 50_000
    rows = [observation(f"{n:05x}", f"e{n}", fields=f'{{"b":"{body}"}}') for n in range(6_000)]
    target = make_database(tmp_path / "t.db", {"observations": rows})
    code = (
        "import resource, sys; from pathlib import Path; "
        "from tests.support.rebuilding import rebuild; "
        "report = rebuild(Path(sys.argv[1])); "
        "print(report.buckets, report.writes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},  # noqa: TID251 - a child's
    )
    buckets, writes, kilobytes = map(int, done.stdout.split())
    assert (buckets, writes) == (9, 6_000)
    assert kilobytes < 2_000_000 * (1024 if sys.platform == "darwin" else 1)
