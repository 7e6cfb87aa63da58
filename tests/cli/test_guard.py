"""The guard as a shell runs it: real bash and zsh, and a ``neotoma`` that notes its arguments."""

import itertools
import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from neotoma_core.guard.shell import FUNCTION, install_guard
from tests.cli.conftest import Midden
from tests.support.backing_up import fill
from tests.support.databases import count
from tests.support.forks.asking import python
from tests.support.shells import MIDDEN, NEOTOMA, ROOT, SHELLS, Place, Words


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    for name in ("bin", "home", "here", "notes"):
        (folder / name).mkdir()
    for name, text in (("neotoma", NEOTOMA), ("midden", MIDDEN.format(python()))):
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    fill(folder / "here" / "data" / "neotoma.prod.db", 40)
    fill(folder / "here" / "data" / "neotoma.db", 3)
    install_guard(folder / "rc", apply=True)
    return folder


@pytest.fixture
def place(template: Path, tmp_path: Path) -> Place:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    install_guard(tmp_path / "rc", apply=True)
    return Place(tmp_path)


PASSED: tuple[Words, ...] = (
    [],
    ["entities", "list"],
    ["note", "a  b", "", "*", "$HOME", "`id`", "'\"", "-n", "--", "--x=1", "a\nb\t", "reset me"],
    [b"\xff\xfe", "\N{SNOWMAN}"],
    ["--log-file", "reset"],
    ["--log-file", "reset", "entities", "list"],
    ["--env", "production", "entities", "search", "reset", "", "a  b", b"\xff"],
    ["--unknown", "entities", "list"],
    ["reset", "--help"],
)


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_no_reset_passes_untouched(shell: str, place: Place) -> None:
    before = place.production.read_bytes(), place.development.read_bytes()
    given = place.folder / "given"
    given.write_bytes(b"line\n\0\xffno end")
    for words in PASSED:
        with given.open("rb") as file:
            done = place.run(shell, words, given=file)
        assert (done.returncode, done.stdout, done.stderr) == (37, b"", b""), words
        assert place.arguments == [os.fsencode(word) for word in words]
        assert (place.notes / "input").read_bytes() == given.read_bytes()
        called = (place.notes / "midden").exists()
        assert called == ("reset" in words)  # otherwise no other program is in the way
        shutil.rmtree(place.notes)
        place.notes.mkdir()
    assert (place.production.read_bytes(), place.development.read_bytes()) == before


def in_turn(lines: tuple[Words, ...]) -> list[object]:
    """Return each line with a shell: what a line means is not the shell's business."""
    named = [" ".join(map(str, words)) for words in lines]
    shells = itertools.cycle(["bash", "zsh"])
    return [pytest.param(next(shells), w, id=n) for w, n in zip(lines, named, strict=True)]


OF_PRODUCTION: tuple[Words, ...] = (
    ["reset"],
    ["reset", "-y"],
    ["--env", "production", "reset", "--yes"],
    ["--env=production", "--json", "reset", "-y"],
    ["reset", "-y", "--env", "prod"],
    ["prod", "reset", "-y"],
    ["--log-file", "a b", "--no-update-check", "--base-url", "http://x", "reset", "-y"],
    ["--log-file", "reset", "reset", "-y"],
    ["-y", "--", "reset"],
)


@pytest.mark.parametrize(("shell", "words"), in_turn(OF_PRODUCTION))
def test_production_is_not_reset_without_a_terminal(words: Words, shell: str, place: Place) -> None:
    before = place.production.read_bytes(), place.development.read_bytes()
    done = place.run(shell, words)
    assert (done.returncode, place.arguments) == (2, None), done.stderr
    assert f"midden reset --target {place.production}".encode() in done.stderr
    assert (
        b"--yes does not count here" in done.stderr
        or b"cannot" in done.stderr
        or words == ["reset"]
    )
    assert (place.production.read_bytes(), place.development.read_bytes()) == before


OF_DEVELOPMENT: tuple[Words, ...] = (
    ["--env", "development", "reset", "-y"],
    ["reset", "--env=dev", "--yes"],
    ["dev", "--json", "reset", "-y"],
)


@pytest.mark.parametrize(("shell", "words"), in_turn(OF_DEVELOPMENT))
def test_development_is_reset_and_production_is_not(words: Words, shell: str, place: Place) -> None:
    before = place.production.read_bytes()
    done = place.run(shell, words)
    assert (done.returncode, place.arguments) == (0, None), done.stderr
    assert count(place.development, "observations") == 0
    assert (b'"outcome"' in done.stdout) == ("--json" in words)
    assert place.production.read_bytes() == before


STOPPED: tuple[Words, ...] = (
    ["--unknown", "reset"],
    ["--unknown", "reset", "entities"],
    ["-e", "development", "reset", "-y"],
    ["reset", "--data-dir", "elsewhere", "-y"],
    ["reset", "now", "-y"],
    ["--env", "staging", "reset", "-y"],
    ["prod", "reset", "--env", "dev", "-y"],
    ["reset", "-y", "--env"],
)


@pytest.mark.parametrize(("shell", "words"), in_turn(STOPPED))
def test_what_is_not_understood_is_stopped(words: Words, shell: str, place: Place) -> None:
    before = place.production.read_bytes(), place.development.read_bytes()
    done = place.run(shell, words)
    assert (done.returncode, place.arguments) == (2, None)
    assert b"nothing was changed; name the database: midden reset --target DB" in done.stderr
    assert (place.production.read_bytes(), place.development.read_bytes()) == before


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(("typed", "left"), [("neotoma.prod.db", 0), ("yes", 40)])
def test_at_a_terminal_the_name_resets_production(
    typed: str, left: int, shell: str, place: Place
) -> None:
    before = place.production.read_bytes()
    ours, theirs = pty.openpty()
    os.write(ours, f"{typed}\n".encode())
    done = place.run(shell, ["--env", "production", "reset", "-y"], given=theirs)
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, place.arguments) == (7 if left else 0, None), done.stderr
    assert count(place.production, "observations") == left
    assert (place.production.read_bytes() == before) == bool(left)
    assert count(place.development, "observations") == 3


def test_the_users_data_directory_counts(place: Place) -> None:
    kept = place.folder / "kept here"
    place.production.parent.rename(kept)
    settings = place.folder / "home" / ".config" / "neotoma" / ".env"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"NEOTOMA_DATA_DIR={kept}\n")
    before = (kept / "neotoma.prod.db").read_bytes()
    done = place.run("bash", ["--env", "development", "reset", "-y"])
    assert done.returncode == 0, done.stderr
    assert count(kept / "neotoma.db", "observations") == 0
    assert (kept / "neotoma.prod.db").read_bytes() == before


def test_an_environment_that_is_named_guards_a_file_whose_name_says_nothing(place: Place) -> None:
    memory = place.production.rename(place.folder / "memory.db")
    before = memory.read_bytes()
    variables = {"NEOTOMA_SQLITE_PATH": str(memory)}
    done = place.run("bash", ["--env", "prod", "reset", "-y"], variables=variables)
    assert (done.returncode, b"the environment is set to production" in done.stderr) == (2, True)
    assert memory.read_bytes() == before


def test_a_database_that_is_not_there_is_named_and_nothing_else_is_reset(place: Place) -> None:
    before = place.development.read_bytes()
    place.production.unlink()
    done = place.run("zsh", ["reset", "-y"])
    assert (done.returncode, b"there is no such file" in done.stderr) == (11, True)
    assert str(place.production).encode() in done.stderr
    assert (place.development.read_bytes(), place.arguments) == (before, None)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_without_midden_nothing_is_reset(shell: str, place: Place) -> None:
    (place.folder / "bin" / "midden").unlink()
    path = f"{place.folder / 'bin'}:/usr/bin:/bin"
    done = place.run(shell, ["reset", "-y"], variables={"PATH": path})
    assert (done.returncode, place.arguments) == (127, None)
    assert place.run(shell, ["status"], variables={"PATH": path}).returncode == 37


@pytest.mark.parametrize(("mode", "code"), [(None, 127), (0o644, 126)])
def test_a_neotoma_that_cannot_be_run_ends_as_in_a_shell(
    mode: int | None, code: int, place: Place
) -> None:
    neotoma = place.folder / "bin" / "neotoma"
    if mode is None:
        neotoma.unlink()
    else:
        neotoma.chmod(mode)
    done = place.run("bash", ["reset", "--help"])
    assert (done.returncode, done.stderr[:8]) == (code, b"neotoma:")


def test_a_reader_that_goes_ends_neotoma_as_without_the_guard(place: Place) -> None:
    (place.folder / "bin" / "neotoma").write_text("#!/bin/sh\nwhile echo y; do :; done\n")
    script = f'. "{place.folder}/rc"; neotoma reset --help | head -1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={
            "HOME": str(place.folder),
            "PATH": f"{place.folder / 'bin'}:{os.environ['PATH']}",  # noqa: TID251 - a child's
            "PYTHONPATH": str(ROOT),
            "NOTES": str(place.notes),
        },
    )
    assert done.stdout == "y\n141\n"


def test_an_older_guard_gives_way_and_the_rest_stays(tmp_path: Path, midden: Midden) -> None:
    file = tmp_path / "rc"
    old = '# midden guard: old\nneotoma() {\n  command neotoma "$@"\n}\n# midden guard ends\n'
    file.write_text(f"alias l=ls\n{old}alias m=more\n")
    words = ("guard", "install", "--file", file)
    printed = midden(*words)
    assert (printed.returncode, printed.stdout.startswith(FUNCTION)) == (0, True)
    assert old in file.read_text()
    assert "# replaced: " in midden(*words, "--apply").stdout
    assert file.read_text() == f"alias l=ls\n{FUNCTION}alias m=more\n"
    again = midden(*words, "--apply").stdout
    assert "# already there: " in again
    undo = again.partition("# undo: ")[2]
    subprocess.run(["bash", "-c", undo], check=True)
    assert file.read_text() == "alias l=ls\nalias m=more\n"


def test_zsh_is_guarded_where_it_looks(
    tmp_path: Path, midden: Midden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/bin/zsh")
    monkeypatch.setenv("ZDOTDIR", str(tmp_path))
    assert midden("guard", "install", "--apply").returncode == 0
    assert (tmp_path / ".zshrc").read_text() == FUNCTION
