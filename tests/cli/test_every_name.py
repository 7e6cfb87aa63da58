"""Every command, below a folder whose name libraries and shells would take for another."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.cli.app import app
from tests.support.backing_up import HASH
from tests.support.databases import USER, entity, insert_all, make_database, observation
from tests.support.merging_entities import merge_entities
from tests.support.nasty_names import ALL_BYTES, ALL_TEXT

Run = Callable[..., str]


@pytest.fixture(params=[ALL_TEXT, ALL_BYTES], ids=["text", "bytes"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with a database, its raw file, and a larger copy; all are called oddly."""
    folder = tmp_path / str(request.param)
    raw = folder / "data" / "sources_prod" / "u1" / HASH
    raw.parent.mkdir(parents=True)
    raw.write_bytes(b"hello")
    for name, size in (("data/[x] neotoma.prod.db", 3), ("copies/old.prod.db", 5)):
        make_database(
            folder / name,
            {
                "sources": [{"id": "s1", "storage_url": f"u1/{HASH}", "content_hash": HASH}],
                "entities": [entity(f"e{n}") for n in range(size)],
                "observations": [observation(f"o{n}", f"e{n}") for n in range(size)],
            },
        )
    return folder


@pytest.fixture
def midden(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process; return what it printed. Any error is raised."""
    monkeypatch.setenv("MIDDEN_VAULT", "")

    def run(*words: str | Path, code: int = 0) -> str:
        capsys.readouterr()
        assert (app(list(map(str, words)), standalone_mode=False) or 0) == code
        return capsys.readouterr().out

    return run


def test_every_command_works_below_a_folder_of_any_name(place: Path, midden: Run) -> None:
    target = place / "data" / "[x] neotoma.prod.db"
    vault, archive = place / "vault", place / "vault" / "archive"
    of = ("--target", target, "--vault", vault)
    inventory = place / "inventory.parquet"

    midden("find", place, "--parquet", inventory, "--picture", place / "picture.svg")
    midden("recover", *of, "--from-inventory", inventory, "--dry-run")
    midden("status", target, "--search", place, "--vault", vault)
    recovered = json.loads(midden("recover", *of, "--search", place, "--yes", "--json"))
    assert recovered["target"] == str(target)
    assert "archive-failed" not in {finding["kind"] for finding in recovered["findings"]}
    paste(midden, recovered["undo"], vault)
    midden("backup", *of)
    midden("backups", *of)
    midden("verify", *of)
    midden("recover", *of, "--backup", "1", "--dry-run")
    midden("restore", "1", *of, "--yes")
    midden("rebuild", *of, "--yes")
    midden("rebuild", *of, "--check")
    midden("rebuild", *of, "--out", place / "snapshots.parquet")
    for number in range(2):
        insert_all(target, {"observations": [observation(f"x{number}", "e0")]})
        midden("archive", *of)
    merge_entities(target, "e0", "e1", "m1", at="2026-03-01T00:00:00.000Z", user=USER)
    midden("archive", *of)
    midden("unmerge", *of, "--merge-id", "m1", "--yes")
    midden("compact", *of, "--apply")
    midden("verify", "--archive", archive)
    assert "x1" in midden("history", "--entity", "e0", "--archive", archive)
    midden("export", "--to", place / "out", "--archive", archive)
    midden("export", "--to", place / "out", *of, "--format", "csv")
    built = place / "built.prod.db"
    midden("restore", "--from-archive", archive, "--target", built, "--yes", "--vault", vault)
    midden("erase", *of, "--entity", "e1", "--yes")
    midden("backup", *of)
    midden("prune", *of, "--keep-last", "1", "--apply", "--yes")
    midden("reset", *of, "--dry-run")
    midden("guard", "install", "--file", place / ".bashrc", "--apply")


def paste(midden: Run, line: str, vault: Path) -> None:
    """Run a printed command as a shell splits it, with its vault and without its question."""
    read = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    program, *words = map(os.fsdecode, read.stdout.split(b"\0")[:-1])
    assert program == "midden"
    named = [] if "--vault" in words else ["--vault", vault]
    midden(*words, *named, "--yes")
