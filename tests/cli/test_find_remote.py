"""What a remote holds, and what only it holds, among the copies of a database."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.support.databases import make_database
from tests.support.forks.asking import python
from tests.support.proven import observe, owner
from tests.support.remotes import Machine


@pytest.fixture
def target(tmp_path: Path, midden: Midden) -> Path:
    """A database that was pushed with nine observations, and lost the last of them since."""
    rows = {"observations": [observe(n) for n in range(9)], "entities": [owner()]}
    made = make_database(tmp_path / "data" / "neotoma.prod.db", rows)
    (tmp_path / "nas").mkdir()
    added = midden(
        *("remote", "add", "nas", f"file://{tmp_path}/nas", "--target", made, "--yes"),
        *("--identity-file", tmp_path / "nas.identity"),
    )
    assert added.returncode == 0, added.stderr
    assert midden("push", "--target", made).returncode == 0
    Machine(made.parent, "", made).run(
        "DELETE FROM observations WHERE rowid = (SELECT max(rowid) FROM observations)"
    )
    return made


def test_what_only_the_remote_holds_shows_under_its_name(
    target: Path, midden: Midden, tmp_path: Path
) -> None:
    identity = ("--identity-file", tmp_path / "nas.identity")
    done = midden("find", "--remote", "nas", "--target", target, *identity, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    own, there = sorted(report["copies"], key=lambda row: row["path"] == "nas")
    assert (own["path"], own["observations"], own["exclusive"]) == (str(target), 8, 0)
    assert (there["path"], there["observations"], there["exclusive"]) == ("nas", 9, 1)
    assert there["member"].endswith("/neotoma.prod.db")
    assert own["database"] == there["database"]
    (drop,) = report["drops"]
    assert (drop["verdict"], drop["lacks"], drop["best"]) == ("lacking", 1, there["shown"])
    assert "--backup nas" in drop["next"]
    assert "midden-" not in done.stdout  # no scratch
    text = midden("find", "--remote", "nas", "--target", target, *identity).stdout
    assert "2 copies of a Neotoma database" in text
    assert "lacks 1 observations" in text


def test_an_address_needs_no_vault_and_makes_none(target: Path, tmp_path: Path) -> None:
    target.unlink()
    vault = tmp_path / "fresh"
    done = subprocess.run(
        [
            *(python(), "-m", "neotoma_core", "find", "--remote", f"file://{tmp_path}/nas"),
            *("--target", target, "--json"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={  # a child's
            **os.environ,  # noqa: TID251
            "MIDDEN_VAULT": str(vault),
            "MIDDEN_IDENTITY_FILE": str(tmp_path / "nas.identity"),
        },
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["copies"]
    assert (row["observations"], row["exclusive"]) == (9, 9)
    assert not vault.exists()


def test_the_options_go_together(target: Path, midden: Midden) -> None:
    alone = midden("find", "--remote", "nas")
    assert (alone.returncode, "name it with --target" in alone.stderr) == (2, True)
    other = midden("find", target.parent, "--target", target)
    assert (other.returncode, "go with --remote" in other.stderr) == (2, True)
