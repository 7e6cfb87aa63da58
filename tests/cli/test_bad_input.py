"""What bad input gets: a clear message, its own exit code, an untouched target."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.support.databases import insert_all, loosen, make_database, observation

BACKUP = "backups/neotoma.prod 2.db"
Wrong = Callable[[Path], list[str | Path]]


def backup(*names: str) -> Wrong:
    return lambda incident: [word for name in names for word in ("--backup", incident / name)]


def empty_file(incident: Path) -> list[str | Path]:
    return ["--backup", incident / "Trash/neotoma.prod 3.db"]


def not_sqlite(incident: Path) -> list[str | Path]:
    (incident / "note.txt").write_text("hello")
    return ["--backup", incident / "note.txt"]


def cut_gzip(incident: Path) -> list[str | Path]:
    path = incident / "Desktop/neotoma-20260301.db.gz"
    path.write_bytes(path.read_bytes()[:-1000])
    return ["--backup", path]


def target_through_a_link(incident: Path) -> list[str | Path]:
    (incident / "link.db").symlink_to(incident / "data/neotoma.prod.db")
    return ["--backup", incident / "link.db"]


def encrypt(incident: Path) -> list[str | Path]:
    sealed = f"{'0a' * 16}:{'0b' * 16}:{'0c' * 40}"
    path = make_database(
        incident / "sealed.prod.db", {"observations": [observation("o", fields=sealed)]}
    )
    return ["--backup", path]


BAD: dict[str, tuple[Wrong, int, str]] = {
    "empty": (empty_file, 10, "the file is empty; leave it out"),
    "not SQLite": (not_sqlite, 10, "not a SQLite database"),
    "truncated": (backup("Trash/neotoma.prod.db.part"), 10, "truncated: 5,229,772 of 13,074,432"),
    "damaged pages": (backup("Trash/neotoma.prod.db"), 10, "Page 863"),
    "another program's": (backup("Documents/photos.db"), 10, "not a Neotoma database"),
    "missing": (backup("nowhere.db"), 10, "there is no such file"),
    "a folder with several": (backup("backups"), 10, "3 databases are in it: "),
    "a folder without": (backup("data/none"), 10, "there is no such file"),
    "compressed and cut": (cut_gzip, 10, "it is cut short; look for what can be saved with"),
    "the target itself": (backup("data/neotoma.prod.db"), 2, "given as its own backup"),
    "the target, spelled otherwise": (
        backup("data/../data/neotoma.prod.db"),
        2,
        "given as its own backup",
    ),
    "the target, through a link": (target_through_a_link, 2, "given as its own backup"),
    "development": (backup("data/neotoma.db"), 13, "--allow-environment-mismatch"),
    "encrypted": (encrypt, 12, "1 observations are encrypted and no key was given"),
    "an unknown mode": (lambda _: ["--backup", "x", "--mode", "nonsense"], 2, "keep-target"),
}


@pytest.mark.parametrize(("wrong", "code", "message"), BAD.values(), ids=BAD.keys())
def test_it_is_refused_with_a_reason_and_the_target_is_untouched(
    wrong: Wrong, code: int, message: str, incident: Path, midden: Midden
) -> None:
    target = incident / "data/neotoma.prod.db"
    before = (target.read_bytes(), target.stat().st_mtime_ns)
    done = midden("recover", "--target", target, "--yes", *wrong(incident))
    assert (done.returncode, done.stdout) == (code, "")
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert (target.read_bytes(), target.stat().st_mtime_ns) == before


def test_no_permission_is_said(incident: Path, midden: Midden) -> None:
    locked = incident / BACKUP
    locked.chmod(0)
    try:
        locked.open("rb").close()
    except PermissionError:
        done = midden("recover", "--target", incident / "x.db", "--backup", locked, "--yes")
        assert (done.returncode, "no permission to read it" in done.stderr) == (10, True)
    else:  # root may read everything: nothing to refuse
        assert locked.exists()


def test_the_other_backups_go_on_without_an_unreadable_one(incident: Path, midden: Midden) -> None:
    done = midden(
        "recover",
        *("--target", incident / "data/neotoma.prod.db"),
        *("--backup", incident / "Trash/neotoma.prod.db"),
        *("--backup", incident / "nowhere.db"),
        *("--backup", incident / BACKUP),
        *("--skip-unreadable", "--dry-run"),
    )
    assert done.returncode == 3
    assert "there is no such file" in done.stdout
    assert "2,522 observations" in done.stdout


def test_nothing_readable_is_no_success(incident: Path, midden: Midden) -> None:
    target, damaged = incident / "data/neotoma.prod.db", incident / "Trash/neotoma.prod.db"
    done = midden("recover", "--target", target, "--backup", damaged, "--skip-unreadable", "--yes")
    assert (done.returncode, "none of the backups could be read" in done.stderr) == (2, True)


def test_the_same_backup_twice_is_used_once_and_said(incident: Path, midden: Midden) -> None:
    largest = incident / "backups/neotoma.prod.db.db"
    done = midden(
        "recover",
        *("--target", incident / "data/neotoma.prod.db", "--dry-run"),
        *("--backup", largest, "--backup", incident / "data/../backups/neotoma.prod.db.db"),
        *("--backup", incident / "Downloads/neotoma.prod.db (1).db"),
    )
    assert done.returncode == 0
    assert done.stdout.count("the same file, or the same bytes") == 2
    assert done.stdout.count("6,174 observations") == 1


def test_a_target_that_another_program_writes_to_is_refused(incident: Path, midden: Midden) -> None:
    target = incident / "data/neotoma.prod.db"
    with closing(sqlite3.connect(target, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        done = midden("recover", "--target", target, "--backup", incident / BACKUP, "--yes")
        writer.execute("ROLLBACK")
    assert (done.returncode, "locked by another program" in done.stderr) == (11, True)


def test_nobody_to_ask_means_yes_has_to_be_said(incident: Path, midden: Midden) -> None:
    target = incident / "data/neotoma.prod.db"
    done = midden("recover", "--target", target, "--backup", incident / BACKUP)
    assert (done.returncode, "--yes" in done.stderr) == (2, True)


def test_safe_mode_stops_at_a_conflict_and_lists_it(tmp_path: Path, midden: Midden) -> None:
    target = make_database(tmp_path / "t.db", {"observations": [observation("o1")]})
    other = make_database(
        tmp_path / "b.db", {"observations": [observation("o1", fields='{"title":"SECRET"}')]}
    )
    before = target.read_bytes()
    words = ("recover", "--target", target, "--backup", other, "--mode", "safe", "--yes")
    done: subprocess.CompletedProcess[str] = midden(*words)
    assert done.returncode == 4
    assert "conflicts.json" in done.stderr
    assert "SECRET" not in done.stdout + done.stderr
    assert target.read_bytes() == before


def test_a_vault_that_another_run_uses_is_refused(incident: Path, midden: Midden) -> None:
    import fcntl  # noqa: PLC0415 - only here

    vault = incident.parent / "vault"
    vault.mkdir()
    (vault / "vault.json").write_text('{"format":1,"protects":"x"}')
    with (vault / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = midden(
            "recover", "--target", incident / "x.db", "--backup", incident / BACKUP, "--yes"
        )
    assert (done.returncode, "another run of midden" in done.stderr) == (21, True)


def test_a_folder_of_other_things_is_no_vault(incident: Path, midden: Midden) -> None:
    done = midden(
        "recover",
        *("--target", incident / "x.db", "--backup", incident / BACKUP, "--yes"),
        *("--vault", incident / "backups"),
    )
    assert (done.returncode, "the folder holds other files" in done.stderr) == (20, True)


def test_a_quarantined_row_is_exit_3_and_named_in_the_last_line_of_what_was_written(
    tmp_path: Path, midden: Midden
) -> None:
    target = make_database(tmp_path / "neotoma.prod.db")
    backup = make_database(
        tmp_path / "backup.prod.db", {"observations": [observation("good", "e1")]}
    )
    loosen(backup, "observations")
    insert_all(backup, {"observations": [observation("bad", entity_id=None)]})
    done = midden("recover", "--target", target, "--backup", backup, "--yes")
    assert done.returncode == 3
    (published,) = [line for line in done.stdout.splitlines() if line.startswith("published")]
    assert published.endswith("; 1 rows could not be merged")


def test_a_current_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    target = make_database(tmp_path / "neotoma.prod.db")
    gone = tmp_path / "gone"
    gone.mkdir()
    started = subprocess.run(
        [
            *("sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh"),
            *(sys.executable, "-m", "neotoma_core", "backup", "--target", str(target)),
        ],
        cwd=gone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 2
    assert "the current folder is gone" in started.stderr


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.db")
    return folder / "pipe.db"


@pytest.mark.parametrize("place", [lambda _: Path("/dev/zero"), pipe], ids=["device", "pipe"])
@pytest.mark.parametrize("words", [["recover", "--yes", "--backup"], ["backup", "--target"]])
def test_what_has_no_end_is_not_opened(
    words: list[str], place: Callable[[Path], Path], tmp_path: Path, midden: Midden
) -> None:
    target = make_database(tmp_path / "neotoma.prod.db")
    named = [] if words[0] == "backup" else ["--target", target]
    done = midden(*words, place(tmp_path), *named)
    assert done.returncode == (11 if words[0] == "backup" else 10)
    assert "a device, pipe or socket" in done.stderr
