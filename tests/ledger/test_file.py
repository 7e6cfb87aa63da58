"""The ledger: nothing in clear, nothing lost unnoticed, nothing recorded twice."""

import hashlib
from pathlib import Path

import orjson
import pytest

from neotoma_core.errors import VaultDamaged, VaultError
from neotoma_core.files import atomic
from neotoma_core.ledger.file import (
    read_erased,
    read_erased_around,
    read_ledger,
    record_erasure,
    record_finished,
)
from neotoma_core.vault import folder as vault
from tests.conftest import NOW

IDS = {"entities": ["ent_aaa", "ent_bbb"], "users": ["someone"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    vault.open_vault(tmp_path / "vault", tmp_path / "db")
    return tmp_path / "vault"


def record(folder: Path) -> Path:
    record_erasure(read_ledger(folder), "run-1", NOW, IDS)
    return folder / "erasures.jsonl"


def test_what_is_recorded_is_recognised_by_kind(folder: Path) -> None:
    assert not read_erased(folder)
    record(folder)
    erased = read_erased(folder)
    assert erased.among("entities", ["ent_bbb", "ent_ccc", "someone"]) == ["ent_bbb"]
    assert erased.among("users", ["someone", "ent_aaa"]) == ["someone"]
    assert erased.among("observations", ["ent_aaa"]) == []


def test_no_id_is_in_clear_nor_as_a_hash_anybody_could_make(folder: Path, tmp_path: Path) -> None:
    text = record(folder).read_text()
    for name in (*IDS["entities"], *IDS["users"]):
        assert name not in text
        assert hashlib.sha256(name.encode()).hexdigest() not in text
    vault.open_vault(tmp_path / "other", tmp_path / "db")
    other = orjson.loads(record(tmp_path / "other").read_text().splitlines()[1])
    mine = orjson.loads(text.splitlines()[1])
    assert not set(mine["erased"]["entities"]) & set(other["erased"]["entities"])


def test_it_only_grows_and_records_nothing_twice(folder: Path) -> None:
    path = record(folder)
    before = path.read_bytes()
    ledger = record_erasure(read_ledger(folder), "run-2", NOW, {**IDS, "sources": ["s"]})
    assert path.read_bytes().startswith(before)
    assert list(orjson.loads(path.read_text().splitlines()[-1])["erased"]) == ["sources"]
    assert ledger.unfinished == ("run-1", "run-2")
    assert record_finished(ledger, "run-2", NOW).unfinished == ()


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_line_that_was_changed_or_taken_out_is_damage(line: int, folder: Path) -> None:
    path = record(folder)
    record_finished(read_ledger(folder), "run-1", NOW)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:line] + lines[line + 1 :]))
    with pytest.raises(VaultDamaged, match="would come back"):
        read_erased(folder)
    changed = lines[line].replace('":"2', '":"3').replace('"salt":"', '"salt":"00')
    path.write_text("".join([*lines[:line], changed, *lines[line + 1 :]]))
    with pytest.raises(VaultDamaged):
        read_erased(folder)
    path.write_text("".join(lines))
    assert read_erased(folder)


@pytest.mark.parametrize("content", [b"", b"\xff\n", b"{}\n", b"[]\n", b'{"format":1}\n', b"{"])
def test_what_is_no_ledger_is_damage(content: bytes, folder: Path) -> None:
    record(folder).write_bytes(content)
    with pytest.raises(VaultDamaged):
        read_erased(folder)


def test_a_ledger_that_is_gone_is_damage(folder: Path) -> None:
    record(folder).unlink()
    with pytest.raises(VaultDamaged, match="missing"):
        read_erased(folder)


def test_the_ledger_of_another_vault_is_damage(folder: Path, tmp_path: Path) -> None:
    """It is proven by itself, and as long as this one must be."""
    vault.open_vault(tmp_path / "other", tmp_path / "db")
    others = record(tmp_path / "other")
    record(folder).write_bytes(others.read_bytes())
    with pytest.raises(VaultDamaged, match="lines are missing"):
        read_erased(folder)


def test_a_vault_of_which_only_the_ledger_is_left_is_one(folder: Path, tmp_path: Path) -> None:
    vault.open_vault(tmp_path / "other", tmp_path / "db")
    record(folder)
    assert {path.name for path in folder.iterdir()} == {"erasures.jsonl", "lock", "vault.json"}
    erased = read_erased_around(tmp_path / "other", folder / "somewhere" / "in it")
    assert [other.among("users", ["someone"]) for other in erased.others] == [["someone"]]


def test_a_description_that_forgot_the_ledger_is_damage(folder: Path) -> None:
    record(folder)
    vault.write_json(folder / "vault.json", {"format": 2, "protects": "db"})
    with pytest.raises(VaultDamaged, match="how long"):
        read_erased(folder)


def test_a_midden_without_ledger_refuses_the_vault(folder: Path) -> None:
    """It knows format 1 only, and would bring everything back."""
    record(folder)
    assert orjson.loads((folder / "vault.json").read_bytes())["format"] == 2
    vault.open_vault(folder, folder)  # ours does not
    vault.write_json(folder / "vault.json", {"format": 3})
    with pytest.raises(VaultError, match="newer"):
        vault.open_vault(folder, folder)


def test_it_is_synced_before_its_name_and_before_the_description(folder: Path) -> None:
    seen: list[str] = []
    with atomic.observe(seen.append):
        record(folder)
    assert seen == [*atomic.STEPS, *atomic.STEPS]


def test_a_run_killed_between_ledger_and_description_lost_nothing(folder: Path) -> None:
    description = folder / "vault.json"
    before = description.read_bytes()
    record(folder)
    description.write_bytes(before)
    assert read_erased(folder).among("users", ["someone"]) == ["someone"]
    record_finished(read_ledger(folder), "run-1", NOW)
    assert read_ledger(folder).unfinished == ()
