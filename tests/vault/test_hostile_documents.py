"""Documents of a vault or an archive that somebody wrote who means ill: refused by their names.

Each is read by a model: of a wrong type, negative, beyond what a number can be, with what a
terminal would obey, or leading elsewhere, it is refused before anything is read or written.
"""

import hashlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from neotoma_core.archive_tables.reading import list_table
from neotoma_core.archive_tables.rewriting import read_pins
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.errors import ArchiveDamaged, MiddenError, VaultDamaged
from neotoma_core.files.compressed import NotIntact, compress_file
from neotoma_core.ledger.file import read_ledger, record_erasure
from neotoma_core.neotoma.json import JsonValue, stringify
from neotoma_core.restore.sources import check_evidence, find_source
from neotoma_core.vault import folder as vault
from neotoma_core.vault.backups import RAW_LIST, read_backup, read_raw_list
from tests.conftest import NOW
from tests.support.archiving import archive
from tests.support.backing_up import Vault, copy_vault, small_vault

ESCAPE = "\x1b[2Jx"
LEADS_OUT = ("../../vault.json", "/etc/passwd", "..", "")
NO_COUNT: tuple[JsonValue, ...] = (-1, 1e30, 2**60, 1.5, True, "1", None, [])
NO_TEXT: tuple[JsonValue, ...] = (1, 1e30, True, None, [], {})
NO_WORD: tuple[JsonValue, ...] = (*NO_TEXT, ESCAPE, "")
NO_HEX: tuple[JsonValue, ...] = (*NO_TEXT, ESCAPE, "../x", "zz")
NO_PATH: tuple[JsonValue, ...] = (*NO_TEXT, "", "a\0b")
NO_LIST: tuple[JsonValue, ...] = (1, "x", {}, None, True)
Place = tuple[str | int, ...]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault with a backup, evidence, a ledger and an archive."""
    world = small_vault(tmp_path_factory.mktemp("made"), 3)
    world.back_up(drill=False)
    archive(world.target, world.vault / "archive")
    vault.describe(world.vault, {"schedule_seconds": 60, "exports_and_archives": ["/x"]})
    record_erasure(read_ledger(world.vault), "run-1", NOW, {"entities": ["gone"]})
    identity: JsonValue = {"observations": ["aa"], "count": 1, "target": "/x"}
    vault.describe(world.vault, {"identity": identity})
    world.restore("1")
    return world


@pytest.fixture
def world(made: Vault, tmp_path: Path) -> Vault:
    return copy_vault(made, tmp_path)


def with_value(document: JsonValue, place: Place, value: JsonValue) -> JsonValue:
    changed: Any = deepcopy(document)
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    result: JsonValue = changed
    return result


def cases(*rules: tuple[Place, tuple[JsonValue, ...]]) -> Iterator[tuple[Place, JsonValue]]:
    for place, values in rules:
        for value in values:
            yield place, value


def require_refusal(error: type[MiddenError], path: Path, read: Callable[[], object]) -> None:
    """Demand that reading raises an error which names the file and shows nothing of it."""
    with pytest.raises(error) as caught:
        read()
    assert str(path) in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "passwd" not in str(caught.value)


DESCRIPTION = [
    *cases(
        (("format",), NO_COUNT),
        (("protects",), NO_PATH),
        (("id",), tuple(value for value in NO_HEX if value is not None)),
        (("identity", "count"), NO_COUNT),
        (("identity", "observations", 0), NO_HEX),
        (("identity", "observations"), NO_LIST),
        (("identity",), (1, "x", [])),
        (("schedule_seconds",), tuple(value for value in NO_COUNT if value is not None)),
        (("schedule_seconds",), (0, 10**12)),
        (("exports_and_archives",), NO_LIST),
        (("exports_and_archives", 0), NO_PATH),
        (("erasures", "lines"), NO_COUNT),
        (("erasures", "check"), NO_HEX),
        (("whatever",), (1,)),
    )
]


@pytest.mark.parametrize(("place", "value"), DESCRIPTION)
def test_vault_json(place: Place, value: JsonValue, world: Vault) -> None:
    path = world.vault / "vault.json"
    changed = with_value(vault.read_json(path), place, value)
    path.write_text(stringify(changed))
    newer = place == ("format",) and value == 2**60
    for read in (
        lambda: vault.open_vault(world.vault, world.target),
        lambda: vault.read_description(world.vault),
        lambda: read_ledger(world.vault),
        lambda: vault.remember_place(world.vault, Path("/y")),
    ):
        if newer:
            with pytest.raises(MiddenError, match="newer"):
                read()
        else:
            require_refusal(VaultDamaged, path, read)
    assert path.read_text() == stringify(changed)


LEDGER = [
    *cases(
        (("run",), (*NO_WORD, *LEADS_OUT)),
        (("at",), (*NO_TEXT, "yesterday", "2026-03-01", ESCAPE)),
        (("erased",), (1, "x", [])),
        (("erased", "entities"), NO_LIST),
        (("erased", "entities", 0), NO_HEX),
        (("erased",), ({ESCAPE: ["aa"]},)),
        (("finished",), (1, "true", False, True)),
        (("whatever",), (1,)),
    )
]


def write_ledger(folder: Path, event: JsonValue) -> None:
    """Write a ledger of one event, with the checks that it needs."""
    salt, check, lines = bytes(range(32)), "", []
    for one in ({"format": 1, "salt": salt.hex()}, event):
        body = orjson.dumps(one).decode()
        digest = hashlib.blake2b((check + body).encode(), key=salt, digest_size=32)
        check = digest.hexdigest()
        lines.append(f'{body[:-1]},"check":"{check}"}}\n')
    (folder / "erasures.jsonl").write_text("".join(lines))
    vault.describe(folder, {"erasures": {"lines": 2, "check": check}})


EVENT: JsonValue = {"run": "run-1", "at": "2026-03-01T00:00:00Z", "erased": {"entities": ["aa"]}}


def test_a_ledger_as_it_should_be_is_read(world: Vault) -> None:
    write_ledger(world.vault, EVENT)
    assert read_ledger(world.vault).last_erased_at == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize(("place", "value"), LEDGER)
def test_events_of_the_ledger(place: Place, value: JsonValue, world: Vault) -> None:
    write_ledger(world.vault, with_value(EVENT, place, value))
    require_refusal(VaultDamaged, world.vault / "erasures.jsonl", lambda: read_ledger(world.vault))


FILE: Place = ("databases", 0, "files", 0)
EVIDENCE = [
    *cases(
        (("format",), (*NO_COUNT, 0, 7)),
        (("run",), (*NO_WORD, *LEADS_OUT)),
        (("target",), NO_PATH),
        (("target_existed",), (1, "yes", None)),
        (("databases",), NO_LIST),
        (("databases", 0), NO_LIST),
        (("databases", 0, "label"), (*NO_WORD, *LEADS_OUT)),
        (("databases", 0, "path"), NO_PATH),
        (("databases", 0, "files"), NO_LIST),
        ((*FILE, "name"), (*NO_PATH, *LEADS_OUT, "a/../../b", "./a")),
        ((*FILE, "size"), NO_COUNT),
        ((*FILE, "mtime_ns"), (1, "x", ESCAPE, "1e30")),
        ((*FILE, "sha256"), NO_HEX),
        (("left_behind",), NO_LIST),
        (("whatever",), (1,)),
    )
]


@pytest.mark.parametrize(("place", "value"), EVIDENCE)
def test_manifests_of_evidence(place: Place, value: JsonValue, world: Vault) -> None:
    (folder,) = (path.parent for path in (world.vault / "evidence").glob("*/manifest.json"))
    path = folder / "manifest.json"
    path.write_text(stringify(with_value(vault.read_json(path), place, value)))
    require_refusal(VaultDamaged, path, lambda: check_evidence(folder))
    require_refusal(VaultDamaged, path, lambda: find_source(str(folder), world.vault, world.target))


def test_a_file_of_evidence_that_is_a_link_is_not_followed(world: Vault, tmp_path: Path) -> None:
    (folder,) = (path.parent for path in (world.vault / "evidence").glob("*/manifest.json"))
    copy = folder / "target" / world.target.name
    copy.rename(tmp_path / "elsewhere")
    copy.symlink_to(tmp_path / "elsewhere")
    require_refusal(VaultDamaged, copy, lambda: check_evidence(folder))


PINS: tuple[Any, ...] = (
    [],
    1,
    {"p": []},
    {ESCAPE: {"observations": 0}},
    {"p": {"../../x": 0}},
    {"p": {ESCAPE: 0}},
    *({"p": {"observations": value}} for value in NO_COUNT),
)


@pytest.mark.parametrize("pins", PINS)
def test_pins(pins: JsonValue, world: Vault) -> None:
    opened = open_archive(world.vault / "archive")
    path = opened.path / "pins.json"
    path.write_text(stringify(pins))
    require_refusal(ArchiveDamaged, path, lambda: read_pins(opened))


STATE: Place = ("tables", "observations")
COMMITTED = [
    *cases(
        (("format",), tuple(value for value in NO_COUNT if value != 2**60)),
        (("archive",), NO_HEX),
        (("tables",), (1, "x", None, [])),
        (("tables",), ({"../../x": {"id": "a"}}, {ESCAPE: {"id": "a"}})),
        (STATE, NO_LIST),
        ((*STATE, "id"), NO_WORD),
        ((*STATE, "version"), (-2, 1e30, 2**60, True, "1", None)),
        ((*STATE, "rows"), NO_COUNT),
        ((*STATE, "until"), (-2, 1e30, 2**60, True, "1", None)),
        ((*STATE, "digest"), NO_HEX),
        (("whatever",), (1,)),
    )
]


@pytest.mark.parametrize(("place", "value"), COMMITTED)
def test_the_record_of_an_archive(place: Place, value: JsonValue, world: Vault) -> None:
    folder = world.vault / "archive"
    changed = with_value(vault.read_json(folder / "committed.json"), place, value)
    assert isinstance(changed, dict)
    content = {name: one for name, one in changed.items() if name != "sha256"}
    changed["sha256"] = hashlib.sha256(stringify(content).encode()).hexdigest()
    for name in ("committed.json", "committed-copy.json"):
        (folder / name).write_text(stringify(changed))
    listed = list_table(open_archive(folder), "observations")
    assert listed.lost is not None
    assert listed.lost.path == folder / "committed.json"


ARCHIVE = [
    *cases(
        (("format",), tuple(value for value in NO_COUNT if value != 2**60)),
        (("observations",), NO_LIST),
        (("observations", 0), NO_TEXT),
        (("recorded",), (1, "yes")),
        (("release",), (1, [], ESCAPE)),
        (("whatever",), (1,)),
    )
]


@pytest.mark.parametrize(("place", "value"), ARCHIVE)
def test_what_an_archive_says_of_itself(place: Place, value: JsonValue, world: Vault) -> None:
    path = world.vault / "archive" / "archive.json"
    path.write_text(stringify(with_value(vault.read_json(path), place, value)))
    require_refusal(ArchiveDamaged, path, lambda: open_archive(path.parent))


SIZES: tuple[Any, ...] = (
    [],
    1,
    *({name: 1} for name in (*LEADS_OUT, ESCAPE, "sources/../x", "elsewhere/u1/aa")),
    *({f"sources_prod/u1/{'a' * 64}": value} for value in NO_COUNT),
)


@pytest.mark.parametrize("sizes", SIZES)
def test_inventories_of_raw_files(sizes: JsonValue, world: Vault, tmp_path: Path) -> None:
    folder, plain = world.place(), tmp_path / "sizes.json"
    plain.write_text(stringify(sizes))
    (folder / RAW_LIST).unlink()
    listed = compress_file(plain, folder / RAW_LIST)
    manifest = replace(read_backup(folder).manifest, files=(listed,))
    with pytest.raises(NotIntact, match="raw_files"):
        read_raw_list(folder, manifest, tmp_path)
