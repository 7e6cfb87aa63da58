"""Neotoma's own settings files: .env files, its config.json, and where its checkout is. Read only.

A file that is missing or not readable says nothing, as for Neotoma.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from neotoma_core.files.small import read_small
from neotoma_core.neotoma.environments import Environment

_ASSIGNED: Final = re.compile(
    r"""^\s*(?:export\s+)?(\w+)\s*=\s*(?:'([^']*)'|"([^"]*)"|`([^`]*)`|([^#]*))"""
)


@dataclass(frozen=True, slots=True)
class Stated:
    """A setting, and the folder of the file that states it."""

    value: str
    folder: Path


def read_env_file(path: Path) -> Mapping[str, str]:
    """Return what a .env file sets; of two lines for one name the last counts, empty is unset."""
    try:
        lines = read_small(path).decode(errors="surrogateescape").splitlines()
    except OSError:
        return {}
    found = (match for line in lines if (match := _ASSIGNED.match(line)))
    values = {match[1]: next(filter(None, match.groups()[1:]), "").strip() for match in found}
    return {name: value for name, value in values.items() if value}


def find_stated(files: Iterable[Path], name: str) -> Stated | None:
    """Return a setting from the first of some .env files that has it."""
    for file in files:
        value = read_env_file(file).get(name)
        if value is not None:
            return Stated(value, file.parent)
    return None


def project_env_files(project: Path, environment: Environment) -> tuple[Path, ...]:
    """Return the .env files of a project, what counts first first."""
    special = (project / ".env.production",) if environment == "production" else ()
    return (*special, project / ".env")


def find_checkout(config_folder: Path, named: str | None, start: Path) -> Path | None:
    """Return Neotoma's checkout: the one ``named``, one around ``start``, the one it remembers."""
    remembered = read_config(config_folder)
    texts = (remembered.get("project_root"), remembered.get("repo_root"))
    candidates = [Path(named)] if named else []
    candidates += [start, *start.parents]
    candidates += [Path(text) for text in texts if isinstance(text, str) and text]
    return next(filter(_is_checkout, candidates), None)


def read_config(config_folder: Path) -> Mapping[str, object]:
    """Return what Neotoma's ``config.json`` holds; nothing where there is none."""
    return _read_object(config_folder / "config.json")


def _is_checkout(folder: Path) -> bool:
    return _read_object(folder / "package.json").get("name") == "neotoma"


def _read_object(path: Path) -> Mapping[str, object]:
    try:
        value = orjson.loads(read_small(path))
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}
