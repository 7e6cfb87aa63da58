"""Which evidence of runs that did not finish is needless: by what other evidence has."""

from pathlib import Path

import pytest

from neotoma_core.vault.folder import UNFINISHED
from neotoma_core.vault.leftovers import remove_needless

NOW_RUNNING = "2026-03-13T00-00-00Z"
KILLED = "2026-03-12T00-00-00Z"
COPIES = {"target/t.db": b"pages", "target/t.db-wal": b"one commit", "target/t.db-shm": b"index"}


def evidence(vault: Path, run: str, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = vault / "evidence" / run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (vault / "work" / run).mkdir(parents=True, exist_ok=True)
    return vault / "evidence" / run


def kill(vault: Path, *, whole: bool) -> Path:
    manifest = {"manifest.json": b"{}"} if whole else {}
    return evidence(vault, KILLED, {**COPIES, **manifest, UNFINISHED: b""})


@pytest.mark.parametrize("whole", [True, False])
def test_what_other_evidence_has_too_goes(*, whole: bool, tmp_path: Path) -> None:
    left = kill(tmp_path, whole=whole)
    evidence(tmp_path, NOW_RUNNING, COPIES | {"target/t.db-shm": b"another index"})
    assert remove_needless(tmp_path, NOW_RUNNING) == (KILLED,)
    assert not left.exists()


@pytest.mark.parametrize(
    "grown",
    [
        {"target/t.db-wal": b"one commit and another"},
        {"target/t.db": b"pages and more"},
        {"target/t.db-journal": b"to be rolled back"},
    ],
)
def test_evidence_that_undoes_a_commit_goes_only_where_the_very_same_is_there(
    grown: dict[str, bytes], tmp_path: Path
) -> None:
    left = kill(tmp_path, whole=True)
    evidence(tmp_path, NOW_RUNNING, COPIES | grown)
    assert remove_needless(tmp_path, NOW_RUNNING) == ()
    assert (left / "target" / "t.db-wal").read_bytes() == b"one commit"


def test_what_was_never_whole_goes_where_its_bytes_are_the_start_of_others(tmp_path: Path) -> None:
    left = kill(tmp_path, whole=False)
    evidence(tmp_path, NOW_RUNNING, COPIES | {"target/t.db-wal": b"one commit and another"})
    assert remove_needless(tmp_path, NOW_RUNNING) == (KILLED,)
    assert not left.exists()


@pytest.mark.parametrize("whole", [True, False])
def test_other_bytes_are_not_the_same(*, whole: bool, tmp_path: Path) -> None:
    left = kill(tmp_path, whole=whole)
    evidence(tmp_path, NOW_RUNNING, COPIES | {"target/t.db": b"PAGES"})
    assert remove_needless(tmp_path, NOW_RUNNING) == ()
    assert left.is_dir()


@pytest.mark.parametrize("whole", [True, False])
def test_evidence_of_two_databases_goes_only_where_both_are_in_other_evidence(
    *, whole: bool, tmp_path: Path
) -> None:
    left = kill(tmp_path, whole=whole)
    evidence(tmp_path, KILLED, {"backup-0/b.db": b"of a backup"})
    evidence(tmp_path, NOW_RUNNING, COPIES)
    assert remove_needless(tmp_path, NOW_RUNNING) == ()
    assert (left / "backup-0" / "b.db").read_bytes() == b"of a backup"
    evidence(tmp_path, NOW_RUNNING, {"backup-0/b.db": b"of a backup"})
    assert remove_needless(tmp_path, NOW_RUNNING) == (KILLED,)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("to", ["t.db", "folder"])
def test_a_link_is_the_same_as_nothing(*, to: str, whole: bool, tmp_path: Path) -> None:
    left = kill(tmp_path, whole=whole)
    behind = evidence(tmp_path, NOW_RUNNING, COPIES | {"target/link": b"pages"}) / "target"
    (behind / "folder").mkdir()
    (left / "target" / "link").symlink_to(behind / to)
    assert remove_needless(tmp_path, NOW_RUNNING) == ()
    assert (left / "target" / "link").is_symlink()


def test_what_a_run_said_and_set_aside_goes_with_its_evidence(tmp_path: Path) -> None:
    kill(tmp_path, whole=True)
    evidence(tmp_path, NOW_RUNNING, COPIES)
    for place in ("quarantine", "reports"):
        for run in (KILLED, NOW_RUNNING):
            (tmp_path / place / run).mkdir(parents=True)
    assert remove_needless(tmp_path, NOW_RUNNING) == (KILLED,)
    assert {path.name for path in tmp_path.glob("quarantine/*")} == {NOW_RUNNING}
    assert {path.name for path in tmp_path.glob("reports/*")} == {NOW_RUNNING}
