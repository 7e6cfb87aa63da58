"""What cannot be meant is refused, with the nearest that can be, and nothing is changed."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.cli.app import app
from neotoma_core.errors import MiddenError, UsageError
from neotoma_core.files.atomic import write_file
from neotoma_core.neotoma.json import JsonValue, stringify
from tests.support.databases import entity, make_database, observation

Words = Callable[[Path], list[str | Path]]
TOLD = "Beatrix"
AN_ID = "5f0c1d"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database and a backup that differ in a row; nothing here is changed by any test."""
    folder = tmp_path_factory.mktemp("world")
    for name, title in (("neotoma.prod.db", "a"), ("old.prod.db", TOLD)):
        make_database(
            folder / name,
            {
                "entities": [entity("e1", entity_type="contact")],
                "observations": [
                    observation("o1", entity_type="contact", fields=f'{{"title":"{title}"}}')
                ],
            },
        )
    (folder / "words").write_text("one two three")
    decision: JsonValue = {
        "backup": "backup-1",
        "table": "observations",
        "key": AN_ID,
        "keep": "source",
    }
    (folder / "decisions.json").write_text(stringify([decision]))
    os.mkfifo(folder / "pipe")
    return folder


def of(command: str, *more: str | Path) -> Words:
    """Return the words of a command on the database; names of files are those in its folder."""

    def words(folder: Path) -> list[str | Path]:
        files = [
            folder / word[1:] if isinstance(word, str) and word[:1] == "@" else word
            for word in more
        ]
        return [
            command,
            "--target",
            folder / "neotoma.prod.db",
            "--vault",
            folder / "vault",
            *files,
        ]

    return words


NO_FILE = "not a regular file"
EXPORT = ("export", "--to", "@out")
MERGE = ("--backup", "@old.prod.db", "--dry-run")
REFUSED: dict[str, tuple[Words, str]] = {
    "a type": (of("rebuild", "--check", "--type", "Contcat"), "did you mean contact?"),
    "a type like no other": (
        of("rebuild", "--check", "--type", "xyz"),
        "no entity of the type",
    ),
    "a field": (of(*EXPORT, "--redact", "contact.tilte"), "did you mean title?"),
    "a field of any type": (
        of(*EXPORT, "--redact", "*.tilte"),
        "did you mean title?",
    ),
    "a field's type": (
        of(*EXPORT, "--redact", "contacts.title"),
        "did you mean contact?",
    ),
    "a user": (of("recover", *MERGE, "--user", "nobody"), "none of the backups has a row"),
    "decisions": (of("recover", *MERGE, "--decisions", "@decisions.json"), "1 of its decisions"),
    "a day": (of(*EXPORT, "--as-of", "2026-02-30"), "2026-02-28"),
    "a day of knowledge": (of("rebuild", "--out", "@o", "--knowledge", "2026-02-30"), "2026-02-28"),
    "a key file": (of("backup", "--dry-run", "--key-file", "@nope"), "no such file"),
    "a mnemonic": (of("rebuild", "--check", "--mnemonic-file", "@words"), "12 or 24 words"),
    "a key that is a pipe": (
        of("backup", "--dry-run", "--key-file", "@pipe"),
        NO_FILE,
    ),
    "a key without end": (
        of("backup", "--dry-run", "--key-file", "/dev/zero"),
        NO_FILE,
    ),
    "decisions from a pipe": (of("recover", *MERGE, "--decisions", "@pipe"), NO_FILE),
    "schemas from a pipe": (
        of("rebuild", "--check", "--schemas", "@pipe"),
        "a device, pipe or socket",
    ),
    "an empty vault": (of("backup", "--vault", ""), "--vault: "),
    "an empty id": (of("rebuild", "--check", "--entity", ""), "--entity: an empty value"),
    "two targets": (of("backup", "--target", "other.db"), "--target: given more than once"),
    "both ways": (of("backup", "--drill", "--no-drill"), "given more than once"),
    "all and one": (of("verify", "--all", "1"), "--all was given with backups"),
    "an option of archives": (
        of(*EXPORT, "--skip-unreadable"),
        "goes with --archive",
    ),
    "another's file": (of("rebuild", "--out", "@words"), "something else already"),
    "a picture": (lambda w: ["find", w, "--picture", w / "x.png"], "call it x.svg"),
    "a picture in a pipe": (lambda w: ["find", w, "--picture", w / "pipe"], "name a file"),
    "a database as inventory": (
        lambda w: ["find", w, "--parquet", w / "old.prod.db"],
        "another file has that name",
    ),
    "an inventory in a device": (lambda w: ["find", w, "--parquet", "/dev/null"], "name a file"),
    "an inventory that is a pipe": (
        of("recover", "-n", "--from-inventory", "@pipe"),
        NO_FILE,
    ),
    "a database to serve": (
        lambda w: ["serve", "--target", w / "neotoma.pord.db"],
        "did you mean neotoma.prod.db?",
    ),
    "two archives": (of("history", "--entity", "e1", "--archive", "@a"), "leave those out"),
    "a start-up file without end": (
        lambda _: ["guard", "install", "--file", "/dev/zero"],
        NO_FILE,
    ),
}


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_and_nothing_is_changed(words: Words, said: str, world: Path) -> None:
    before = {path: path.read_bytes() for path in world.iterdir() if path.is_file()}
    with pytest.raises(MiddenError) as refused:
        app(list(map(str, words(world))), standalone_mode=False)
    assert said in str(refused.value)
    assert TOLD not in str(refused.value)
    assert AN_ID not in str(refused.value)
    assert {path: path.read_bytes() for path in world.iterdir() if path.is_file()} == before
    assert not (world / "out").exists()


def test_what_is_meant_is_done(world: Path) -> None:
    for words in (
        of("rebuild", "--check", "--type", "contact"),
        of("recover", *MERGE, "--user", "00000000-0000-0000-0000-000000000000"),
    ):
        assert app(list(map(str, words(world))), standalone_mode=False) in (0, 5)


def test_a_field_that_is_not_there_yet_leaves_the_old_export(world: Path, tmp_path: Path) -> None:
    words = of("export", "--to", tmp_path / "out", "--redact", "contact.title")(world)
    app(list(map(str, words)), standalone_mode=False)
    before = (tmp_path / "out" / "catalog.json").read_bytes()
    with pytest.raises(UsageError, match="no field more"):
        app([*map(str, words), "--redact", "contact.more"], standalone_mode=False)
    assert (tmp_path / "out" / "catalog.json").read_bytes() == before


def test_pipes_and_sockets_in_a_folder_stop_no_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_database(tmp_path / "neotoma.prod.db", {"observations": [observation("o1")]})
    raw = tmp_path / "sources_prod" / "u1"
    raw.mkdir(parents=True)
    os.mkfifo(tmp_path / "pipe.db")
    os.mkfifo(raw / ("a" * 64))
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket.db")
    backup = ["backup", "--target", "neotoma.prod.db", "--vault", "vault"]
    for words in (["find", "."], backup):
        assert app(words, standalone_mode=False) == 0


def test_nothing_takes_the_place_of_a_device_or_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match=NO_FILE):
            write_file(tmp_path / name, b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"]
