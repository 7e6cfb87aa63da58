"""Keys from files and from the environment: read exactly, and named by their place only."""

import traceback
from pathlib import Path

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.files.keys import KeyFile, KeySource, Mnemonic, MnemonicFile, read_key
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.settings.environment import key_source
from tests.neotoma.test_encryption import (
    PASSPHRASE,
    PASSPHRASE_SEALED,
    SEALED,
    SECRET,
    TEXT,
    WORDS,
    WORDS_SEALED,
)

NO_PASSPHRASE = Secret("")
VARIABLES = ("NEOTOMA_KEY_FILE_PATH", "NEOTOMA_MNEMONIC", "NEOTOMA_MNEMONIC_PASSPHRASE")


@pytest.fixture(autouse=True)
def no_key_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "the-key"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        SECRET.hex(),
        SECRET.hex().upper(),
        f"\ufeff  {SECRET.hex()}\r\n",
    ],
    ids=["hex", "upper case", "with a mark, spaces and a line break"],
)
def test_a_key_file_is_hex(content: str, tmp_path: Path) -> None:
    assert read_key(KeyFile(write(tmp_path, content))).open(SEALED) == TEXT


@pytest.mark.parametrize(
    "content",
    [
        WORDS,
        f"{WORDS}\n",
        WORDS.replace(" ", "\n") + "\n\n",
        WORDS.replace("falcon ", "falcon\r\n"),
    ],
    ids=["one line", "line break", "a word a line", "two lines"],
)
def test_a_mnemonic_file_is_words(content: str, tmp_path: Path) -> None:
    key = read_key(MnemonicFile(write(tmp_path, content), NO_PASSPHRASE))
    assert key.open(WORDS_SEALED) == TEXT


def test_a_passphrase_goes_with_the_words(tmp_path: Path) -> None:
    passphrase = Secret(PASSPHRASE)
    for source in (
        MnemonicFile(write(tmp_path, WORDS), passphrase),
        Mnemonic("NEOTOMA_MNEMONIC", Secret(WORDS), passphrase),
    ):
        assert read_key(source).open(PASSPHRASE_SEALED) == TEXT


NO_KEYS = {
    "empty": b"",
    "not hex": b"swordfish" * 8,
    "odd length": SECRET.hex()[:-1].encode(),
    "too short": b"ab" * 15,
    "two keys": f"{SECRET.hex()}\n{SECRET.hex()}".encode(),
    "bytes": bytes(range(128, 160)),
    "a database": b"SQLite format 3\0" + b"00" * (1 << 16),
}


@pytest.mark.parametrize("content", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_what_is_no_key_is_refused_without_saying_what_it_is(
    content: bytes, tmp_path: Path
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(UsageError, match=r"the-key: (not a key in hex|too long)") as raised:
        read_key(KeyFile(path))
    shown = "".join(traceback.format_exception(raised.value))
    held = content.decode("latin-1").split("\n")[0][:20]
    assert not held or held not in shown
    assert raised.value.__context__ is None


def test_a_file_too_long_for_a_key_is_not_read_on(tmp_path: Path) -> None:
    read_key(KeyFile(write(tmp_path, b"ab" * (1 << 15))))
    with pytest.raises(UsageError, match="too long for a key"):
        read_key(KeyFile(write(tmp_path, b"ab" * (1 << 15) + b"\n")))


@pytest.mark.parametrize("words", ["", "swordfish", f"{WORDS} swordfish", SECRET.hex()])
def test_what_is_no_mnemonic_is_refused_without_saying_what_it_is(
    words: str, tmp_path: Path
) -> None:
    for source in (
        MnemonicFile(write(tmp_path, words), NO_PASSPHRASE),
        Mnemonic("NEOTOMA_MNEMONIC", Secret(words), NO_PASSPHRASE),
    ):
        with pytest.raises(
            UsageError, match=r"(the-key|NEOTOMA_MNEMONIC): not a mnemonic"
        ) as raised:
            read_key(source)
        shown = "".join(traceback.format_exception(raised.value))
        assert not words or words not in shown


def test_a_key_file_that_is_not_there_or_a_folder_is_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none", "no such file"), (tmp_path, "directory")):
        with pytest.raises(UsageError, match=rf"{path}: cannot be read: .*{reason}"):
            read_key(KeyFile(path))


def test_a_key_file_without_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, SECRET.hex())

    def refuse(path: Path, _flags: int) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    # Permissions do not hold the superuser back, and tests may run as one.
    monkeypatch.setattr("neotoma_core.files.regular.os.open", refuse)
    with pytest.raises(UsageError, match=r"the-key: cannot be read: permission denied"):
        read_key(KeyFile(path))


def test_without_options_and_variables_there_is_no_key() -> None:
    assert key_source() is None


def test_empty_variables_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    assert key_source() is None


def opens(source: KeySource | None, sealed: str) -> bool:
    assert source is not None
    return read_key(source).open(sealed) == TEXT


def test_neotomas_own_variables_are_followed_key_file_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEOTOMA_MNEMONIC", WORDS)
    assert opens(key_source(), WORDS_SEALED)
    monkeypatch.setenv("NEOTOMA_MNEMONIC_PASSPHRASE", PASSPHRASE)
    assert opens(key_source(), PASSPHRASE_SEALED)
    monkeypatch.setenv("NEOTOMA_KEY_FILE_PATH", str(write(tmp_path, SECRET.hex())))
    assert opens(key_source(), SEALED)


def test_an_option_comes_before_the_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEOTOMA_KEY_FILE_PATH", str(tmp_path / "none"))
    monkeypatch.setenv("NEOTOMA_MNEMONIC_PASSPHRASE", PASSPHRASE)
    assert opens(key_source(mnemonic_file=write(tmp_path, WORDS)), PASSPHRASE_SEALED)
    assert opens(key_source(key_file=write(tmp_path, SECRET.hex())), SEALED)


def test_two_keys_are_one_too_many() -> None:
    with pytest.raises(UsageError, match="leave one out"):
        key_source(Path("a"), Path("b"))


def test_a_source_shows_where_the_key_is_and_not_what_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_text(WORDS)
    monkeypatch.setenv("NEOTOMA_MNEMONIC", WORDS)
    monkeypatch.setenv("NEOTOMA_MNEMONIC_PASSPHRASE", PASSPHRASE)
    shown = repr([key_source(), key_source(mnemonic_file=tmp_path / "words.txt")])
    assert "words.txt" in shown
    assert not any(word in shown for word in (*WORDS.split(), PASSPHRASE))
