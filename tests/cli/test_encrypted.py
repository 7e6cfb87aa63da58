"""The key on the command line: two options, or Neotoma's own variables."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.neotoma.test_encryption import (
    KEY,
    KEY_HEX,
    PASSPHRASE,
    PASSPHRASE_SEALED,
    SEALED,
    SECRET,
    TEXT,
    WORDS,
)
from tests.support.databases import make_database, observation


@pytest.fixture(autouse=True)
def no_key_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NEOTOMA_KEY_FILE_PATH", "NEOTOMA_MNEMONIC", "NEOTOMA_MNEMONIC_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)


def words_for(folder: Path, sealed: str) -> list[str | Path]:
    rows = [observation("o1", fields=sealed)]
    backup = make_database(folder / "backup.db", {"observations": rows})
    return ["recover", "--target", folder / "target.db", "--backup", backup, "--yes"]


def snapshot(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "target.db")) as connection:
        ((stored,),) = connection.execute("SELECT snapshot FROM entity_snapshots").fetchall()
    return str(stored)


def test_a_key_file_opens_and_seals(tmp_path: Path, midden: Midden) -> None:
    (tmp_path / "neotoma.key").write_text(SECRET.hex())
    done = midden(*words_for(tmp_path, SEALED), "--key-file", tmp_path / "neotoma.key")
    assert (done.returncode, done.stderr) == (0, "")
    assert KEY.open(snapshot(tmp_path)) == TEXT
    assert not [s for s in (TEXT[:20], SECRET.hex(), KEY_HEX) if s in done.stdout]


def test_a_mnemonic_file_goes_with_neotomas_passphrase(
    tmp_path: Path, midden: Midden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEOTOMA_MNEMONIC_PASSPHRASE", PASSPHRASE)
    (tmp_path / "words.txt").write_text(WORDS)
    words = words_for(tmp_path, PASSPHRASE_SEALED)
    assert midden(*words, "--mnemonic-file", tmp_path / "words.txt").returncode == 0
    assert snapshot(tmp_path) != TEXT


def test_neotomas_own_variable_is_followed(
    tmp_path: Path, midden: Midden, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "neotoma.key").write_text(SECRET.hex())
    monkeypatch.setenv("NEOTOMA_KEY_FILE_PATH", str(tmp_path / "neotoma.key"))
    assert midden(*words_for(tmp_path, SEALED)).returncode == 0
    assert KEY.open(snapshot(tmp_path)) == TEXT


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ("00" * 32, 12, "backup.db: the key does not open 1 of 1 encrypted values"),
        ("swordfish", 2, "neotoma.key: not a key in hex"),
        (None, 2, "neotoma.key: cannot be read: no such file"),
    ],
    ids=["wrong key", "no key in it", "no such file"],
)
def test_a_key_that_does_not_serve_is_refused_in_one_line(
    content: str | None, code: int, says: str, tmp_path: Path, midden: Midden
) -> None:
    path = tmp_path / "neotoma.key"
    if content:
        path.write_text(content)
    done = midden(*words_for(tmp_path, SEALED), "--key-file", path)
    assert done.returncode == code
    (line,) = done.stderr.splitlines()
    assert says in line
    assert not content or content not in line
    assert not (tmp_path / "target.db").exists()


def test_two_keys_are_wrong_usage(tmp_path: Path, midden: Midden) -> None:
    words = words_for(tmp_path, SEALED)
    done = midden(*words, "--key-file", "a", "--mnemonic-file", "b")
    assert done.returncode == 2
    assert "leave one out" in done.stderr


def test_no_key_names_the_options(tmp_path: Path, midden: Midden) -> None:
    done = midden(*words_for(tmp_path, SEALED))
    assert done.returncode == 12
    assert "--key-file or --mnemonic-file" in done.stderr
