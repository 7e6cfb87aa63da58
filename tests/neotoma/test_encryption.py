"""Sealed values: as Neotoma's own runtime (Node's crypto) makes them, and in frames."""

import copy
import pickle
import re
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.errors import KeyWrong
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.neotoma.encryption.columns import (
    SEALED_SHAPE,
    find_sealed_rows,
    is_sealed,
    open_cells,
    open_rows,
    seal_rows,
)
from neotoma_core.neotoma.encryption.key import DataKey, SealBroken, derive_data_key, seed_of
from neotoma_core.neotoma.tables import BY_NAME

# Made with Node 20: hkdfSync, pbkdf2Sync and createCipheriv("aes-256-gcm") of its own crypto.
SECRET = bytes.fromhex("5f5f5f5f5f5f5f5f00112233445566778899aabbccddeeff0123456789abcdef")
KEY_HEX = "c687e3f361807ffba96f531bd82f3621268525ba73cdc034a9adf5cee47c7e62"
WORDS = "amber basket candle dolphin ember falcon garden harbor island jungle kettle lantern"
TEXT = '{"title":"Käthe\u2019s plan 🌱","n":1}'
IV, OTHER_IV = "000102030405060708090a0b0c0d0e0f", "f0e1d2c3b4a5968778695a4b3c2d1e0f"
SEALED = (
    f"{IV}:37b767dd047923d5917c40a690ba8cf0:5c4b44ad2665c968ca8f7eb304b2d5df"
    "92a0ff63026a2003866c8f4a451f68e62cee05004e2e"
)
WORDS_SEALED = (
    f"{IV}:10ec8c1b7b08971df5f08c4a50ef057d:cc504fe8230ecd4dfd6b67ccfcba8c45"
    "751b7d96663e30cc0f7a68b4cfafd630d75870dd7bcb"
)
PASSPHRASE = "Trüffel ①"  # noqa: S105 - invented
PASSPHRASE_SEALED = (
    f"{OTHER_IV}:705d88b4f3ae616c3e0526f5335e6efc:fe2c636cf72f9053b42eeca5cf088dbf"
    "d48da95e63c1d68b015936931c602a5cd95ad5f17f30"
)
ACCENTS = WORDS.replace("amber", "éclair")
ACCENTS_SEALED = (
    f"{IV}:16756937da018f5a89cd05923e3704ec:a4e65c303f63045cd0229f919b4503a1"
    "4abd22f3522f4a996f64f9fe9e667e4098afeeef2247"
)
BY_MNEMONIC = {
    "words alone": (WORDS, "", WORDS_SEALED),
    "spaces around": (f" {WORDS}\n", "", WORDS_SEALED),
    "passphrase, in compatibility characters": (WORDS, PASSPHRASE, PASSPHRASE_SEALED),
    "words with accents": (ACCENTS, "", ACCENTS_SEALED),
    "words with accents, taken apart": (normalize("NFD", ACCENTS), "", ACCENTS_SEALED),
}
KEY = derive_data_key(SECRET)
OTHER_KEY = derive_data_key(bytes(32))
OBSERVATIONS = BY_NAME["observations"]
SNAPSHOTS = BY_NAME["entity_snapshots"]
ORIGIN = Path("/backups/neotoma.prod.db")


def fields(*cells: str | None) -> pl.DataFrame:
    ids = [str(number) for number in range(len(cells))]
    return pl.DataFrame({"id": ids, "fields": cells}, {"id": pl.String, "fields": pl.String})


def test_a_value_that_node_sealed_opens() -> None:
    assert KEY.open(SEALED) == TEXT


def test_a_secret_of_sixteen_bytes_is_enough() -> None:
    sealed = f"{OTHER_IV}:500ecc5ede810ed2a9f68cd2aa59bfbf:fa"
    assert derive_data_key(b"\xab" * 16).open(sealed) == "x"


def test_a_seed_is_the_one_node_makes() -> None:
    assert seed_of(WORDS, "").hex() == (
        "32f45a617e62b914c29deb6c0ab1824d3bea91e759f437908018f28e49f3e7f1"
        "6c87e1254a03ba31b0e5e7eb6382003a88e5319558a125099a968c26a5ea915a"
    )


@pytest.mark.parametrize(
    ("words", "passphrase", "sealed"), BY_MNEMONIC.values(), ids=BY_MNEMONIC.keys()
)
def test_a_value_sealed_by_mnemonic_opens(words: str, passphrase: str, sealed: str) -> None:
    assert derive_data_key(seed_of(words, passphrase)).open(sealed) == TEXT


@given(st.text(min_size=1))
def test_what_is_sealed_has_the_shape_and_opens_again(text: str) -> None:
    sealed = KEY.seal(text)
    assert re.fullmatch(SEALED_SHAPE, sealed)
    assert KEY.open(sealed) == text


def test_no_two_seals_are_alike() -> None:
    assert len({KEY.seal(TEXT) for _ in range(50)}) == 50


@pytest.mark.parametrize("place", range(len(SEALED)))
def test_a_value_changed_anywhere_does_not_open(place: int) -> None:
    changed = "0" if SEALED[place] != "0" else "1"
    with pytest.raises(SealBroken) as raised:
        KEY.open(SEALED[:place] + changed + SEALED[place + 1 :])
    assert raised.value.__context__ is None


@pytest.mark.parametrize("broken", [SEALED[:-1], SEALED[:-2], SEALED + "00", TEXT, "a:b", ""])
def test_what_is_no_sealed_value_does_not_open(broken: str) -> None:
    with pytest.raises(SealBroken):
        KEY.open(broken)


def test_another_key_does_not_open() -> None:
    with pytest.raises(SealBroken):
        OTHER_KEY.open(SEALED)


SHOWN: dict[str, Callable[[object], str]] = {"repr": repr, "str": str, "format": "{}".format}


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN.keys())
def test_neither_a_key_nor_a_secret_shows_itself(shown: Callable[[object], str]) -> None:
    assert shown(KEY) == "DataKey()"
    assert shown(Secret(WORDS)) == "Secret(...)"
    assert Secret(WORDS).reveal() == WORDS


@pytest.mark.parametrize("kept", [KEY, Secret(WORDS)], ids=["key", "secret"])
def test_neither_a_key_nor_a_secret_is_copied_or_pickled(kept: object) -> None:
    for out in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            out(kept)


def test_the_key_is_frozen_and_its_bytes_are_no_attribute() -> None:
    with pytest.raises(AttributeError):
        KEY._cipher = OTHER_KEY._cipher  # type: ignore[misc]  # noqa: SLF001 - what is tested
    assert all(not isinstance(getattr(KEY, name), bytes | str) for name in DataKey.__slots__)


SHAPES = {
    SEALED: True,
    SEALED.upper(): False,
    SEALED + "\n": False,
    " " + SEALED: False,
    SEALED[:65] + ":": False,
    SEALED[1:]: False,
    TEXT: False,
    "": False,
}


@pytest.mark.parametrize(("cell", "expected"), SHAPES.items())
def test_only_the_shape_tells_a_sealed_value(cell: str, *, expected: bool) -> None:
    rows = fields(cell, None)
    assert rows.select(is_sealed("fields"))["fields"].to_list() == [expected, False]
    assert find_sealed_rows(OBSERVATIONS, rows)["id"].to_list() == (["0"] if expected else [])
    opened = open_cells(OBSERVATIONS, {"fields": cell}, KEY)["fields"]
    assert opened == (TEXT if expected else cell)


def test_mixed_rows_open_where_they_are_sealed() -> None:
    opened = open_rows(OBSERVATIONS, fields(SEALED, '{"a":1}', None, SEALED), KEY, ORIGIN)
    assert opened["fields"].to_list() == [TEXT, '{"a":1}', None, TEXT]
    assert opened["id"].to_list() == ["0", "1", "2", "3"]


def test_columns_that_encryption_does_not_cover_stay_as_they_are() -> None:
    row = {"id": SEALED, "fields": SEALED, "provenance": SEALED}
    opened = open_rows(OBSERVATIONS, pl.DataFrame([row]), KEY, ORIGIN)
    assert opened.row(0) == (SEALED, TEXT, SEALED)
    assert open_cells(OBSERVATIONS, row, KEY) == {**row, "fields": TEXT}


def test_snapshots_are_sealed_in_their_two_columns_and_open_again() -> None:
    rows = pl.DataFrame(
        {
            "entity_id": ["a", "b"],
            "canonical_name": ["Plan", None],
            "snapshot": [TEXT, None],
            "provenance": ["{}", "{}"],
        }
    )
    sealed = seal_rows(SNAPSHOTS, rows, KEY)
    assert sealed.select("entity_id", "canonical_name").equals(
        rows.select("entity_id", "canonical_name")
    )
    assert sealed.select(is_sealed("snapshot"), is_sealed("provenance")).rows() == [
        (True, True),
        (False, True),
    ]
    assert sealed["snapshot"][1] is None
    assert open_rows(SNAPSHOTS, sealed, KEY, ORIGIN).equals(rows)


def test_no_rows_stay_no_rows() -> None:
    assert open_rows(OBSERVATIONS, fields(), KEY, ORIGIN).equals(fields())


def test_more_rows_than_a_slice_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neotoma_core.neotoma.encryption.columns._SLICE_ROWS", 3)
    texts = [f'{{"n":{number}}}' for number in range(10)]
    sealed = fields(*(KEY.seal(text) if number % 2 else text for number, text in enumerate(texts)))
    assert open_rows(OBSERVATIONS, sealed, KEY, ORIGIN)["fields"].to_list() == texts


def test_one_value_that_does_not_open_is_a_wrong_key_and_the_values_are_not_named() -> None:
    rows = fields(SEALED, OTHER_KEY.seal(TEXT), TEXT, None)
    with pytest.raises(KeyWrong) as raised:
        open_rows(OBSERVATIONS, rows, KEY, ORIGIN)
    error = raised.value
    assert (error.path, error.table, error.failed, error.sealed) == (ORIGIN, "observations", 1, 2)
    shown = "".join(traceback.format_exception(error))
    assert "1 of 2 encrypted values in observations" in shown
    assert not any(cell in shown for cell in ("Käthe", SEALED, KEY_HEX, SECRET.hex()))
    assert error.__context__ is None


def test_a_run_without_a_key_does_not_load_the_cryptographic_library() -> None:
    code = (
        "import sys; import neotoma_core.cli.recovery.recover, neotoma_core.recovery.recover; "
        "import neotoma_core.settings.environment; print('cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
