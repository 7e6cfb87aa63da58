import json
from pathlib import Path

from tests.cli.conftest import Midden
from tests.support.databases import make_database
from tests.support.proven import observe, owner


def test_find_status_and_recover_work_together(midden: Midden, tmp_path: Path) -> None:
    entities = [owner()]
    full = {"observations": [observe(n) for n in range(9)], "entities": entities}
    make_database(tmp_path / "place" / "copy.bak", full)
    target = tmp_path / "data" / "neotoma.prod.db"
    make_database(target, {"observations": [observe(1)], "entities": entities})
    picture, listing = tmp_path / "p.html", tmp_path / "p.parquet"
    found = midden("find", tmp_path, "--picture", picture, "--parquet", listing)
    assert found.returncode == 0
    assert "2 copies of a Neotoma database" in found.stdout
    assert f"{target} looks wiped: 1 observations now, 9 in" in found.stdout
    assert picture.read_text().startswith("<!doctype html>")
    status = midden("status", target, "--search", tmp_path)
    assert status.returncode == 6
    assert status.stdout.startswith(f"{target} looks wiped")
    assert json.loads(midden("status", target, "--json").stdout)["protection"] is None
    done = midden("recover", "--target", target, "--from-inventory", listing, "--yes")
    assert done.returncode == 0
    assert "proposed   " in done.stdout
    after = midden("status", target, "--search", tmp_path, "--json")
    assert after.returncode == 0
    assert json.loads(after.stdout)["drop"]["verdict"] == "whole"
    assert json.loads(after.stdout)["next"] == f"midden backup --target {target}"
    assert midden("backup", "--target", target).returncode == 0
    protected = midden("status", target, "--search", tmp_path, "--json")
    assert json.loads(protected.stdout)["protection"]["good"] == 1


def test_wrong_words_are_refused_with_what_to_do(midden: Midden, tmp_path: Path) -> None:
    assert midden("find", tmp_path / "nowhere").returncode == 2
    target = tmp_path / "neotoma.prod.db"
    both = midden("recover", "--target", target, "--backup", target, "--search", tmp_path, "--yes")
    assert both.returncode == 2
    assert "exactly one of the three" in both.stderr
    neither = midden("recover", "--target", target, "--yes")
    assert neither.returncode == 2


def test_nothing_found_says_where_it_looked(midden: Midden, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = midden("find", tmp_path / "empty", "--json")
    assert json.loads(found.stdout)["copies"] == []
    told = midden("find", tmp_path / "empty")
    assert told.returncode == 0
    assert f"{tmp_path}/empty: 0 files, no copy of a Neotoma database" in told.stdout
