import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.errors import TargetForeign, UsageError
from neotoma_core.find.inventory import read_listed_files
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status, find_copies
from neotoma_core.find.text import compare_command, drop_line
from neotoma_core.neotoma.versions import version_range
from neotoma_core.report.inventory import CopyRow, DropCheck, InventoryReport
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.settings.environment import neotoma_settings
from tests.conftest import copy_databases
from tests.support.databases import make_database
from tests.support.proven import observe, owner, store

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def tree(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_databases(unpacked, tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def inventory(tree: Path) -> InventoryReport:
    return find_copies(SearchRequest((tree,)), None, Silent())


def rows_of(report: InventoryReport, tree: Path) -> dict[str, CopyRow]:
    return {str(Path(row.path).relative_to(tree)): row for row in report.copies}


def test_the_incident_gives_its_ten_copies_and_what_is_wrong_with_the_rest(
    inventory: InventoryReport, tree: Path
) -> None:
    found = {
        place: (row.state, row.observations, row.entities, row.exclusive)
        for place, row in rows_of(inventory, tree).items()
    }
    assert found == {
        "data/neotoma.prod.db": ("sound", 84, 67, 22),
        "data/neotoma.db": ("sound", 40, 40, 40),
        "backups/neotoma.prod.db.db": ("sound", 6174, 3862, 2053),
        "backups/neotoma.prod 2.db": ("sound", 2522, 1985, 100),
        "backups/neotoma.prod.db.2026-02-20": ("sound", 1762, 1443, 0),
        "backups/early-march/neotoma.prod.db": ("sound", 4121, 2918, 0),
        "backups/early-march/recovered-20260303.db": ("sound", 4121, 2918, 0),
        "Downloads/neotoma.prod.db (1).db": ("sound", 6174, 3862, 2053),
        "Desktop/neotoma-20260301.db.gz": ("sound", 3481, 2576, 0),
        "Trash/neotoma.prod.db": ("damaged", 3453, 2576, 0),
        "Trash/neotoma.prod.db.part": ("truncated", 2198, 0, 0),
        "Trash/neotoma.prod 3.db": ("empty", None, None, None),
    }


def test_every_copy_is_told_what_it_is(inventory: InventoryReport, tree: Path) -> None:
    rows = rows_of(inventory, tree)
    databases = {place: row.database for place, row in rows.items()}
    assert databases.pop("data/neotoma.db") == "B"
    assert databases.pop("Trash/neotoma.prod 3.db") is None
    assert set(databases.values()) == {"A"}
    twin = rows["Downloads/neotoma.prod.db (1).db"]
    assert twin.same_as == str(tree / "backups/neotoma.prod.db.db")
    gz = rows["Desktop/neotoma-20260301.db.gz"]
    assert (gz.environment, gz.environment_by) == ("production", "content")
    log = rows["backups/early-march/neotoma.prod.db"]
    assert (log.journal, log.journal_bytes, log.days) == ("wal", 4_152_992, 23)
    assert (log.version_from, log.version_before) == ("v0.18.0", "v0.22.2")
    assert rows["data/neotoma.prod.db"].live
    assert sum(inventory.density[twin.shown].values()) == 6174


def test_the_first_thing_said_is_what_was_lost(inventory: InventoryReport, tree: Path) -> None:
    (drop,) = [drop for drop in inventory.drops if drop.verdict != "alone"]
    target, best = tree / "data/neotoma.prod.db", tree / "backups/neotoma.prod.db.db"
    assert drop_line(drop, NOW) == (
        f"{target} looks wiped: 84 observations now, 6,174 in {best} 2 days ago; "
        f"next: midden recover --target {target} --search {tree}"
    )
    assert "on 2026-03-09" in drop_line(drop, datetime(2027, 1, 1, tzinfo=UTC))


def test_the_inventory_is_kept_as_a_table_and_names_its_files(tree: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\n\xff.db"))
    odd.write_bytes((tree / "data/neotoma.db").read_bytes())
    where = SearchRequest((tree / "data", odd))
    report = find_copies(where, None, Silent(), parquet=tmp_path / "found.parquet")
    frame = pl.read_parquet(tmp_path / "found.parquet")
    assert frame.height == len(report.copies) == 3
    assert frame.filter(live=True)["rows_observations"].sort().to_list() == [40, 84]
    assert odd in read_listed_files(tmp_path / "found.parquet")
    assert r"odd\n\xff.db" in report.to_json().replace("\\\\", "\\")


def test_a_file_that_is_no_inventory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text('[{"name": 1}]')
    with pytest.raises(UsageError, match="not an inventory"):
        read_listed_files(tmp_path / "no.json")


def test_a_path_that_does_not_exist_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        find_copies(SearchRequest((tmp_path / "nowhere",)), None, Silent())


def test_the_status_of_a_missing_database_is_that_everything_is_lost(
    tree: Path, tmp_path: Path
) -> None:
    target = tree / "data" / "neotoma.production.db"
    where = SearchRequest((tree / "backups",))
    report = check_status(Whereabouts(target, tmp_path / "vault"), where, NOW, Silent())
    assert (report.state, report.drop.verdict, report.drop.lacks) == ("missing", "wiped", 6274)


def test_a_database_that_has_all_its_copies_hold_is_well(tmp_path: Path) -> None:
    rows = {"observations": [observe(1), observe(2)], "entities": [owner()]}
    whole = make_database(tmp_path / "a.db", rows)
    make_database(tmp_path / "b.db", {**rows, "observations": [observe(1)], "sources": [store(1)]})
    report = check_status(
        Whereabouts(whole, tmp_path / "vault"), SearchRequest((tmp_path,)), NOW, Silent()
    )
    assert report.drop.verdict == "whole"
    assert "all that its copies hold" in drop_line(report.drop, NOW)
    (tmp_path / "text").write_text("x")
    with pytest.raises(TargetForeign, match="not named like one"):
        check_status(
            Whereabouts(tmp_path / "text", tmp_path / "vault"),
            SearchRequest((tmp_path,)),
            NOW,
            Silent(),
        )


def test_the_data_folder_is_where_neotoma_says_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NEOTOMA_DATA_DIR", raising=False)
    assert neotoma_settings().data_folder() is None
    settings = tmp_path / ".config" / "neotoma" / ".env"
    settings.parent.mkdir(parents=True)
    settings.write_text('# NEOTOMA_DATA_DIR=/no\nexport NEOTOMA_DATA_DIR="/one"\n')
    assert neotoma_settings().data_folder() == Path("/one")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("NEOTOMA_DATA_DIR=/three")
    assert neotoma_settings().data_folder() == Path("/three")
    monkeypatch.setenv("NEOTOMA_DATA_DIR", "/two")
    assert neotoma_settings().data_folder() == Path("/two")


def test_a_backup_folder_of_neotomas_own_tells_its_environment(tmp_path: Path) -> None:
    make_database(tmp_path / "backup" / "x.db", {"observations": [observe(1)]})
    manifest = '{"contents": {"neotoma_db": "neotoma.prod.db"}}'
    (tmp_path / "backup" / "manifest.json").write_text(manifest)
    (row,) = find_copies(SearchRequest((tmp_path,)), None, Silent()).copies
    assert (row.environment, row.environment_by) == ("production", "manifest")


def test_a_database_of_an_older_neotoma_says_so(tmp_path: Path) -> None:
    path = make_database(tmp_path / "x.db", {"observations": [observe(1)]})
    with closing(sqlite3.connect(path)) as connection:
        for name in ("canonical_key", "sighting_source_id"):
            connection.execute(f"DROP INDEX idx_observations_{name.replace('source_id', 'key')}")
        connection.execute("ALTER TABLE observations DROP COLUMN canonical_key")
        connection.execute("ALTER TABLE sources DROP COLUMN mtime")
    (row,) = find_copies(SearchRequest((tmp_path,)), None, Silent()).copies
    assert row.version_from == "v0.18.0"
    assert version_range({"observations": ["id"]}, ()) == ("2026-02-05", "2026-02-10")
    assert version_range({"observations": ["identity_rule"]}, ())[0] == "v0.5.0"


def test_a_database_that_lacks_something_is_to_be_compared_with_its_best_copy() -> None:
    drop = DropCheck("/a b/t.db", "lacking", 1, 2, "/c/best.db", 3, None, None)
    assert compare_command(drop) == "midden diff /c/best.db '/a b/t.db'"
