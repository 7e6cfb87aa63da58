"""The examination: each fault that it is there to find is planted, and named with its fix."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.cli.app import app
from neotoma_core.doctor import around
from neotoma_core.doctor.examination import examine
from neotoma_core.doctor.kept import Kept
from neotoma_core.doctor.report import Check, DoctorReport
from neotoma_core.errors import UsageError
from neotoma_core.settings.configured import ConfigReport, configured_report
from neotoma_core.timers.systems import System
from neotoma_core.vault.folder import open_vault
from neotoma_core.vault.noted import keep_notes_in
from tests.support.backing_up import Vault, copy_vault, small_vault

SETTINGS = ("NEOTOMA_KEY_FILE_PATH", "NEOTOMA_MNEMONIC", "MIDDEN_NOTIFY_URLS", "MIDDEN_VAULT")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A database with one verified backup."""
    world = small_vault(tmp_path_factory.mktemp("template"), 1)
    world.back_up()
    world.target.chmod(0o600)
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MIDDEN_CONFIG", "")
    keep_notes_in(tmp_path / "notes")
    yield copy_vault(template, tmp_path)
    keep_notes_in(None)


def report_of(
    world: Vault,
    configured: ConfigReport | UsageError | None = None,
    system: System | None = None,
    *,
    later: timedelta = timedelta(hours=2),
    ask: bool = True,
) -> DoctorReport:
    kept = Kept(world.target, world.vault, world.now + later)
    return examine(kept, configured or configured_report(), system, ask=ask)


def check(report: DoctorReport, name: str) -> Check:
    return next(one for one in report.checks if one.name == name)


def test_a_database_that_is_protected_is_well(world: Vault) -> None:
    report = report_of(world)
    well = ("versions", "neotoma", "config", "database", "log", "space", "vault", "backup")
    for name in (*well, "restore", "key"):
        found = check(report, name)
        assert (found.verdict, found.fix) == ("ok", None), found
    assert "midden 0" in check(report, "versions").said
    assert "1 good of 1, the last 2.0 h ago" in check(report, "backup").said
    assert report.verdict == "warning"  # no remote, no timer, and nobody hears


def unlink(world: Vault) -> None:
    world.target.unlink()


def grow_log(world: Vault) -> None:
    with world.target.with_name(f"{world.target.name}-wal").open("wb") as log:
        log.truncate(65 << 20)


def lose_vault(world: Vault) -> None:
    open_vault(world.vault, world.target)
    shutil.rmtree(world.vault)


def damage_vault(world: Vault) -> None:
    (world.vault / "vault.json").write_text("{")


def lose_manifest(world: Vault) -> None:
    (world.place() / "manifest.json").unlink()


def damage_remotes(world: Vault) -> None:
    (world.vault / "remotes.json").write_text("{")


FAULTS: dict[str, tuple[Callable[[Vault], None], str, str, str]] = {
    "no database": (unlink, "database", "critical", "midden recover --target"),
    "a large log": (grow_log, "log", "warning", "stop Neotoma"),
    "a vault that is gone": (lose_vault, "vault", "critical", "connect its disk"),
    "a damaged vault": (damage_vault, "vault", "critical", "copy of the vault"),
    "no vault": (lambda w: shutil.rmtree(w.vault), "vault", "critical", "midden init"),
    "a backup that lost its manifest": (lose_manifest, "backup", "critical", "midden"),
    "damaged remotes": (damage_remotes, "remotes", "critical", "remotes.json"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_named_with_its_fix(fault: str, world: Vault) -> None:
    plant, name, verdict, fix = FAULTS[fault]
    plant(world)
    found = check(report_of(world), name)
    assert found.verdict == verdict, found
    assert found.fix is not None
    assert fix in found.fix


def test_a_database_that_others_can_reach_is_named(
    world: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.target.chmod(0o644)
    monkeypatch.setattr(around, "_others_reach", lambda _: True)
    found = check(report_of(world), "database")
    assert (found.verdict, found.fix) == ("warning", f"chmod 600 {world.target}")
    monkeypatch.setattr(around, "_others_reach", lambda _: False)
    assert check(report_of(world), "database").verdict == "ok"


def test_a_database_in_a_synced_folder_is_named(world: Vault) -> None:
    place = world.target.parent.parent / "Dropbox" / world.target.name
    place.parent.mkdir()
    world.target.rename(place)
    found = check(report_of_place(world, place), "place")
    assert found.verdict == "warning"
    assert "in a folder of Dropbox" in found.said


def report_of_place(world: Vault, place: Path) -> DoctorReport:
    return examine(Kept(place, world.vault, world.now), configured_report(), None, ask=False)


def test_what_is_old_is_named(world: Vault) -> None:
    report = report_of(world, later=timedelta(days=9))
    assert check(report, "backup").verdict == "critical"
    assert check(report, "restore").verdict == "warning"
    assert "last proven 216.0 h ago" in check(report, "restore").said


def test_a_remote_that_does_not_answer_is_named(world: Vault) -> None:
    nas = world.folder / "nas"
    nas.mkdir()
    words = ("--target", world.target, "--vault", world.vault)
    app(
        ["remote", "add", "nas", f"file://{nas}", *map(str, words), "--plain", "--yes"],
        standalone_mode=False,
    )
    assert check(report_of(world), "remote nas").said == "it never had everything"
    assert check(report_of(world), "identity").verdict == "warning"
    shutil.rmtree(nas)
    found = check(report_of(world), "remote nas")
    assert (found.verdict, "no such folder" in found.said) == ("critical", True)
    assert check(report_of(world, ask=False), "remote nas").verdict == "warning"


def test_keys_configuration_and_a_schedule_are_looked_at(
    world: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEOTOMA_KEY_FILE_PATH", str(world.folder / "no key"))
    monkeypatch.setenv("MIDDEN_NOTIFY_URLS_FILE", str(world.folder / "no file"))
    monkeypatch.setenv("PATH", str(world.folder))
    report = report_of(world, UsageError("midden.toml: wrong"), System("systemd", world.folder))
    wrong = {name: check(report, name).verdict for name in ("key", "config", "notify", "schedule")}
    assert wrong == {
        "key": "critical",
        "config": "critical",
        "notify": "critical",
        "schedule": "warning",
    }
    assert report.verdict == "critical"


def test_the_command_goes_on_with_a_configuration_that_is_invalid(
    world: Vault, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = world.folder / "midden.toml"
    file.write_text("[defaults]\njsn = true\n")
    monkeypatch.setenv("MIDDEN_CONFIG", str(file))
    words = ("--target", str(world.target), "--vault", str(world.vault), "--json", "--offline")
    assert app(["doctor", *words], standalone_mode=False) == 6
    report = json.loads(capsys.readouterr().out)
    (config,) = [one for one in report["checks"] if one["name"] == "config"]
    assert "did you mean json" in config["said"]
    file.write_text("")
    app(["doctor", *words[:-2], "--offline"], standalone_mode=False)
    said = capsys.readouterr().out
    assert "verdict    critical: " in said
    assert "fix: " in said
