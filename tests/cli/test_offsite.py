"""Remotes verified, pruned and rewritten as a user does it: the commands, on a folder."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.support.databases import entity, make_database, observation

ROWS = {"entities": [entity("e1"), entity("e2")], "observations": [observation("o1")]}


@pytest.fixture
def database(tmp_path: Path, midden: Midden) -> Path:
    """A database that was pushed to the remote ``nas``, a folder."""
    made = make_database(tmp_path / "neotoma.db", ROWS)
    (tmp_path / "nas").mkdir()
    identity = tmp_path / "identity"
    words = ["--target", made, "--identity-file", identity, "--yes"]
    added = midden("remote", "add", "nas", f"file://{tmp_path / 'nas'}", *words)
    assert added.returncode == 0, added.stderr
    assert midden("push", "--target", made).returncode == 0
    return made


def verify(midden: Midden, database: Path, *words: str | Path) -> tuple[int, str]:
    done = midden("verify", "--remote", "nas", "--target", database, *words)
    return done.returncode, done.stdout + done.stderr


def test_verify_passes_fails_and_says_what_it_could_not_look_at(
    database: Path, midden: Midden, tmp_path: Path
) -> None:
    identity = ("--identity-file", tmp_path / "identity")
    code, said = verify(midden, database, *identity)
    assert (code, "every object is what was written" in said) == (0, True), said
    code, said = verify(midden, database)
    assert (code, "no identity is at hand" in said) == (3, True), said
    code, said = verify(midden, database, *identity, "--sample", "5%", "--json")
    assert (code, json.loads(said)["outcome"]) == (3, "inconclusive")

    blob = next(path for path in (tmp_path / "nas" / "blobs").rglob("*") if path.is_file())
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(content)
    code, said = verify(midden, database, *identity)
    assert (code, "is not what was written" in said) == (34, True), said
    assert blob.relative_to(tmp_path / "nas").as_posix() in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sample", "half"), "--sample half: not a share; write a percentage, like 5%"),
        (("--sample", "0%"), "--sample 0%: not a share"),
        (("--all",), "--remote reads a remote; leave --archive and backups out"),
    ],
)
def test_verify_refuses_what_does_not_go_together(
    midden: Midden, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    database = make_database(tmp_path / "neotoma.db", ROWS)

    done = midden("verify", "--remote", "nas", "--target", database, *words)

    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_verify_without_a_remote_refuses_its_options(midden: Midden, tmp_path: Path) -> None:
    done = midden("verify", "--target", tmp_path / "neotoma.db", "--sample", "5%")

    assert (done.returncode, "go with --remote" in done.stderr) == (2, True)
