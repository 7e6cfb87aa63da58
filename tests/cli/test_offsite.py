"""Remotes verified, pruned and rewritten as a user does it: the commands, on a folder."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.support import raw
from tests.support.databases import entity, insert_all, make_database, observation

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
    assert (code, "no identity was found" in said) == (3, True), said
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


def test_prune_shows_a_plan_asks_and_removes(
    database: Path, midden: Midden, at_terminal: Midden
) -> None:
    for number in range(2):
        insert_all(database, {"observations": [observation(f"more-{number}")]})
        assert midden("backup", "--target", database).returncode == 0
    assert midden("push", "--target", database).returncode == 0
    words = ("remote", "prune", "nas", "--target", database, "--keep-last", "1")

    plan = midden(*words)
    assert (plan.returncode, "would remove 1 backups" in plan.stdout) == (0, True), plan.stderr
    unasked = midden(*words, "--apply")
    assert (unasked.returncode, "nobody to ask" in unasked.stderr) == (2, True)
    declined = at_terminal(*words, "--apply", typed="n")
    assert (declined.returncode, "nothing was changed" in declined.stdout) == (7, True)
    assert json.loads(midden(*words, "--json").stdout)["removed"] == 1
    done = midden(*words, "--apply", "--yes")
    assert (done.returncode, "removed    1 backups" in done.stdout) == (0, True), done.stderr
    again = midden(*words, "--apply", "--yes", "--json")
    assert json.loads(again.stdout)["outcome"] == "unchanged"


def test_rewrite_leaves_out_what_was_erased_and_deletes_what_held_it(
    database: Path, midden: Midden, at_terminal: Midden, tmp_path: Path
) -> None:
    insert_all(database, {"observations": [observation("private", "e2")]})
    assert midden("push", "--target", database).returncode == 0
    erased = midden("erase", "--entity", "e2", "--target", database, "--yes")
    assert "midden remote rewrite nas --erased" in erased.stdout, erased.stderr
    words = ("remote", "rewrite", "nas", "--target", database)

    unsaid = midden(*words)
    assert (unsaid.returncode, "--erased" in unsaid.stderr) == (2, True)
    listed = midden(*words, "--erased")
    assert (listed.returncode, "still held" in listed.stdout) == (0, True), listed.stderr
    unasked = midden(*words, "--erased", "--delete")
    assert (unasked.returncode, "nobody to ask" in unasked.stderr) == (2, True)
    declined = at_terminal(*words, "--erased", "--delete", typed="n")
    assert (declined.returncode, "nothing was deleted" in declined.stdout) == (7, True)
    done = midden(*words, "--erased", "--delete", "--yes", "--json")
    assert json.loads(done.stdout)["deleted"] > 0, done.stderr
    code, said = verify(midden, database, "--identity-file", tmp_path / "identity")
    assert code == 0, said


def test_a_restore_from_the_remote_says_which_raw_files_came_back(
    midden: Midden, tmp_path: Path
) -> None:
    made = raw.database(tmp_path / "neotoma.db", b"one", b"nowhere")
    raw.put(tmp_path / "sources", b"one")
    (tmp_path / "nas").mkdir()
    target = ("--target", made)
    added = midden("remote", "add", "nas", f"file://{tmp_path / 'nas'}", "--plain", *target)
    assert added.returncode == 0, added.stderr
    assert midden("push", *target).returncode == 0
    (tmp_path / "sources" / raw.name_of(b"one")).unlink()
    for content in (tmp_path / "vault" / "blobs").rglob("*"):
        if content.is_file():
            content.unlink()

    done = midden("restore", "--from-remote", "nas", *target, "--yes")

    assert (done.returncode, "1 came back" in done.stdout) == (0, True), done.stderr
    assert "1 that the database names are missing" in done.stdout
    assert raw.names_in(tmp_path / "sources") == {raw.name_of(b"one")}


@pytest.mark.parametrize("spelling", ["nas/", "./nas", "other/../nas"])
def test_a_remote_is_added_once_however_its_address_is_written(
    spelling: str, database: Path, midden: Midden, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    words = ("--target", database, "--yes")
    done = midden("remote", "add", "again", f"file://{tmp_path}/{spelling}", *words)
    assert done.returncode == 2
    assert "already added, as nas" in done.stderr


@pytest.mark.parametrize(
    ("grace", "said"), [("0d", "--grace: shorter than an hour"), ("soon", "not a span of time")]
)
def test_a_grace_that_is_none_is_refused(
    grace: str, said: str, database: Path, midden: Midden
) -> None:
    done = midden("remote", "prune", "nas", "--target", database, "--apply", "--grace", grace)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize("words", [("push",), ("pull", "--yes"), ("remote", "check", "nas")])
def test_a_folder_that_is_empty_all_at_once_is_called_gone(
    words: tuple[str, ...], database: Path, midden: Midden, tmp_path: Path
) -> None:
    (tmp_path / "nas").rename(tmp_path / "unplugged")
    (tmp_path / "nas").mkdir()
    done = midden(*words, "--target", database)
    assert done.returncode == 30
    assert "remote nas: nothing is there any more; if it is on a disk" in done.stderr


def test_an_entry_that_is_gone_is_named_with_how_to_look_further(
    database: Path, midden: Midden, tmp_path: Path
) -> None:
    next((tmp_path / "nas" / "log").glob("*/*")).unlink()
    done = midden("push", "--target", database)
    assert done.returncode == 34
    assert "entry 1, which was there, is gone" in done.stderr
    assert "midden verify --remote nas" in done.stderr
