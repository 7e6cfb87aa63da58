"""What the manifest of one of Neotoma's own backup folders says (format, section 6.3)."""

from pathlib import Path
from typing import Final

import orjson

from neotoma_core.files.small import read_small
from neotoma_core.neotoma.environments import Environment, environment_of

_MOST_BYTES: Final = 1 << 20


def environment_in_manifest(database: Path) -> Environment | None:
    """Return the environment that the manifest next to ``database`` names, if there is one."""
    named = _read_name(database.parent)
    return environment_of(named) if named is not None else None


def database_in_manifest(folder: Path) -> Path | None:
    """Return the database that the manifest in ``folder`` names, if both are there."""
    named = _read_name(folder)
    if named is None or Path(named).name != named or not (folder / named).is_file():
        return None
    return folder / named


def _read_name(folder: Path) -> str | None:
    try:
        value = orjson.loads(read_small(folder / "manifest.json", _MOST_BYTES))
    except (OSError, orjson.JSONDecodeError):
        return None
    contents = value.get("contents") if isinstance(value, dict) else None
    named = contents.get("neotoma_db") if isinstance(contents, dict) else None
    return named if isinstance(named, str) else None
