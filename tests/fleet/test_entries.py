"""Which databases a fleet has: none twice, none with the vault of another, none misspelt."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.fleet.entries import plan_fleet
from neotoma_core.settings.configuration import read_configuration
from tests.support.fleets import Fleet, small_fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return small_fleet(tmp_path, ["a", "b", "c"])


def refusals(file: Path, names: Sequence[str] = ()) -> dict[str, str | None]:
    return {one.name: one.refusal for one in plan_fleet(read_configuration(file), names)}


def name_again(fleet: Fleet, path: Path, vault: str = "other") -> None:
    more = f'[databases.again]\npath = "{path}"\nvault = "{fleet.folder / vault}"\n'
    fleet.file.write_text(fleet.file.read_text() + more)


def test_every_database_is_in_it_in_the_order_of_the_file(fleet: Fleet) -> None:
    assert refusals(fleet.file) == {"a": None, "b": None, "c": None}
    assert list(refusals(fleet.file, ["c", "a"])) == ["a", "c"]


@pytest.mark.parametrize("how", ["same path", "symlink", "link of the folder", "hard link"])
def test_a_database_that_is_listed_twice_is_refused_by_its_second_name(
    fleet: Fleet, how: str
) -> None:
    target, link = fleet.databases["b"].target, fleet.folder / "link"
    if how == "symlink":
        link.symlink_to(target)
    elif how == "hard link":
        os.link(target, link)
    elif how == "link of the folder":
        link.symlink_to(target.parent)
        link /= target.name
    else:
        link = target
    name_again(fleet, link)
    found = refusals(fleet.file)
    assert found.pop("again") == f"the same database as b; remove one of them from {fleet.file}"
    assert set(found.values()) == {None}


def test_of_two_databases_on_one_vault_the_one_that_it_protects_goes_on(fleet: Fleet) -> None:
    fleet.databases["b"].back_up()
    other = fleet.databases["c"].target.rename(fleet.folder / "other.db")
    name_again(fleet, other, "b/vault")
    found = refusals(fleet.file)
    assert found["b"] is None
    assert found["again"] is not None
    assert "is also that of b; give each one of its own" in found["again"]


def test_where_nobody_can_say_whose_the_vault_is_both_are_refused(fleet: Fleet) -> None:
    other = fleet.databases["c"].target.rename(fleet.folder / "other.db")
    name_again(fleet, other, "b/vault")
    found = refusals(fleet.file)
    assert [name for name, refusal in found.items() if refusal] == ["b", "again"]
    assert not fleet.databases["b"].vault.exists()


def test_one_vault_is_recognised_by_a_link(fleet: Fleet) -> None:
    fleet.databases["b"].back_up()
    (fleet.folder / "linked").symlink_to(fleet.databases["b"].vault)
    name_again(fleet, fleet.databases["c"].target.rename(fleet.folder / "other.db"), "linked")
    assert refusals(fleet.file)["again"] is not None


def test_a_vault_for_all_by_the_environment_is_refused(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDDEN_VAULT", str(fleet.folder / "one"))
    with pytest.raises(UsageError, match="MIDDEN_VAULT names one vault"):
        refusals(fleet.file)


def test_a_name_that_is_not_configured_stops_the_run_before_anything_is_done(fleet: Fleet) -> None:
    text = fleet.file.read_text().replace("databases.a]", "databases.alpha]")
    fleet.file.write_text(text)
    with pytest.raises(UsageError, match=r"alpa: no database of that name.*alpha"):
        refusals(fleet.file, ["b", "alpa"])


@pytest.mark.parametrize("text", ["", "[agents]\nfolders = []\n"])
def test_a_configuration_without_databases_is_refused(fleet: Fleet, text: str) -> None:
    fleet.file.write_text(text)
    with pytest.raises(UsageError, match="names no database; name each in a"):
        refusals(fleet.file)
    fleet.file.unlink()
    with pytest.raises(UsageError, match="there is none"):
        refusals(fleet.file)
