"""Neotoma's database, as its own settings name it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.neotoma.environments import Environment
from neotoma_core.settings.neotoma import NeotomaSettings

CONFIG = "home/.config/neotoma/config.json"
USERS = "home/.config/neotoma/.env"
CHECKOUT = {"checkout/package.json": '{"name": "neotoma"}'}


@dataclass(frozen=True)
class Case:
    """Files below a folder and variables (``@`` is the folder), and the database they lead to."""

    database: str
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    named: Environment | None = None
    here: str = "here"


CASES = {
    "nothing is set": Case("here/data/neotoma.prod.db"),
    "an environment is named": Case("here/data/neotoma.db", named="development"),
    "NEOTOMA_ENV": Case("here/data/neotoma.db", variables={"NEOTOMA_ENV": "development"}),
    "a name wins over NEOTOMA_ENV": Case(
        "here/data/neotoma.prod.db", variables={"NEOTOMA_ENV": "dev"}, named="production"
    ),
    "NEOTOMA_ENV in the project": Case("here/data/neotoma.db", {"here/.env": "NEOTOMA_ENV=dev"}),
    "NEOTOMA_ENV of the user does not count": Case(
        "here/data/neotoma.prod.db", {USERS: "NEOTOMA_ENV=development"}
    ),
    "what Neotoma remembers": Case("here/data/neotoma.db", {CONFIG: '{"preferred_env": "dev"}'}),
    "NEOTOMA_ENV wins over it": Case(
        *("here/data/neotoma.prod.db", {CONFIG: '{"preferred_env": "dev"}'}),
        {"NEOTOMA_ENV": "production"},
    ),
    "NEOTOMA_DATA_DIR": Case("kept/neotoma.prod.db", variables={"NEOTOMA_DATA_DIR": "@/kept"}),
    "a relative one": Case("here/kept/neotoma.prod.db", variables={"NEOTOMA_DATA_DIR": "kept"}),
    "the project's": Case(
        "kept/neotoma.db", {"here/.env": "NEOTOMA_DATA_DIR=@/kept"}, {}, "development"
    ),
    "the user's": Case("kept/neotoma.prod.db", {USERS: "NEOTOMA_DATA_DIR=@/kept\n"}),
    "the user's, with a comment": Case(
        "kept it/neotoma.prod.db", {USERS: "X=1\n export NEOTOMA_DATA_DIR = @/kept it # here\n"}
    ),
    "the user's, quoted": Case("a # b/neotoma.prod.db", {USERS: 'NEOTOMA_DATA_DIR="@/a # b"'}),
    "the last line counts, a comment does not": Case(
        "b/neotoma.prod.db",
        {USERS: "NEOTOMA_DATA_DIR=@/a\nNEOTOMA_DATA_DIR='@/b'\n#NEOTOMA_DATA_DIR=@/c\n"},
    ),
    "the project's wins over the user's": Case(
        "a/neotoma.prod.db",
        {"here/.env": "NEOTOMA_DATA_DIR=@/a", USERS: "NEOTOMA_DATA_DIR=@/b"},
    ),
    "the variable wins over the user's": Case(
        "a/neotoma.prod.db", {USERS: "NEOTOMA_DATA_DIR=@/b"}, {"NEOTOMA_DATA_DIR": "@/a"}
    ),
    "of production only": Case(
        "a/neotoma.prod.db",
        {"here/.env.production": "NEOTOMA_DATA_DIR=@/a", "here/.env": "NEOTOMA_DATA_DIR=@/b"},
    ),
    "not of production": Case(
        "b/neotoma.db",
        {"here/.env.production": "NEOTOMA_DATA_DIR=@/a", "here/.env": "NEOTOMA_DATA_DIR=@/b"},
        named="development",
    ),
    "a checkout above": Case("checkout/data/neotoma.prod.db", CHECKOUT, here="checkout/src/cli"),
    "a checkout's own setting, from below": Case(
        "checkout/kept/neotoma.prod.db",
        {**CHECKOUT, "checkout/.env": "NEOTOMA_DATA_DIR=./kept"},
        here="checkout/src",
    ),
    "a checkout that Neotoma remembers": Case(
        "checkout/data/neotoma.prod.db", {**CHECKOUT, CONFIG: '{"project_root": "@/checkout"}'}
    ),
    "a checkout that is named": Case(
        "checkout/data/neotoma.prod.db", CHECKOUT, {"NEOTOMA_PROJECT_ROOT": "@/checkout"}
    ),
    "a folder that is no checkout": Case(
        "here/data/neotoma.prod.db",
        {"other/package.json": "{}"},
        {"NEOTOMA_PROJECT_ROOT": "@/other"},
    ),
    "NEOTOMA_SQLITE_PATH": Case(
        "x/memory.db", variables={"NEOTOMA_SQLITE_PATH": "@/x/memory.db", "NEOTOMA_DATA_DIR": "@/y"}
    ),
    "the same path, said twice": Case(
        "x/neotoma.prod.db", {"here/.env": "NEOTOMA_DATA_DIR=@/y/../x"}, {"NEOTOMA_DATA_DIR": "@/x"}
    ),
    "broken files say nothing": Case(
        "here/data/neotoma.prod.db", {CONFIG: "{", USERS: "\x00\n=\n", "here/.env/x": ""}
    ),
}
UNCLEAR = {
    "an unknown environment": Case("neither", variables={"NEOTOMA_ENV": "staging"}),
    "an unknown remembered one": Case("neither", {CONFIG: '{"preferred_env": 3}'}),
    "two environments": Case(
        "NEOTOMA_ENV differs", {"here/.env": "NEOTOMA_ENV=prod"}, {"NEOTOMA_ENV": "dev"}
    ),
    "two folders": Case(
        *("NEOTOMA_DATA_DIR differs", {"here/.env": "NEOTOMA_DATA_DIR=@/a"}),
        {"NEOTOMA_DATA_DIR": "@/b"},
    ),
    "two files": Case(
        *("NEOTOMA_SQLITE_PATH differs", {"here/.env": "NEOTOMA_SQLITE_PATH=@/a.db"}),
        {"NEOTOMA_SQLITE_PATH": "@/b.db"},
    ),
    "a production file for development": Case(
        "does not name a development database",
        variables={"NEOTOMA_SQLITE_PATH": "@/neotoma.prod.db"},
        named="development",
    ),
}


def settings_of(case: Case, folder: Path) -> NeotomaSettings:
    for name, text in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("@", str(folder)))
    variables = {name: value.replace("@", str(folder)) for name, value in case.variables.items()}
    (folder / case.here).mkdir(parents=True, exist_ok=True)
    return NeotomaSettings(variables, folder / "home", folder / case.here)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_database_is_the_one_neotoma_would_use(case: Case, tmp_path: Path) -> None:
    database = settings_of(case, tmp_path).database(case.named)
    assert database.resolve() == (tmp_path / case.database).resolve()


@pytest.mark.parametrize("case", UNCLEAR.values(), ids=UNCLEAR)
def test_where_settings_contradict_each_other_none_is_named(case: Case, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=case.database) as raised:
        settings_of(case, tmp_path).database(case.named)
    assert "nothing was changed; name the database" in str(raised.value)
