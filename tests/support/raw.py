"""Raw files for tests: contents, their names, and databases whose sources name them."""

import hashlib
from pathlib import Path

from tests.support.databases import USER, entity, make_database, observation, source


def name_of(content: bytes, user: str = USER) -> str:
    return f"{user}/{hashlib.sha256(content).hexdigest()}"


def put(folder: Path, content: bytes, name: str | None = None) -> Path:
    path = folder / (name or name_of(content))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def database(path: Path, *contents: bytes, urls: tuple[str, ...] = ()) -> Path:
    """Make a database with a source for each content, and for each other storage_url."""
    named = [*(name_of(content) for content in contents), *urls]
    rows = [
        source(f"s{place}", storage_url=name, content_hash=f"{place}-{name}")
        for place, name in enumerate(named)
    ]
    tables = {"sources": rows, "entities": [entity("e1")], "observations": [observation("o1")]}
    return make_database(path, tables)


def names_in(folder: Path) -> set[str]:
    """Return the raw files in a folder by name; asserts that each is what its name says."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.glob("*/*")}
    for name, path in found.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == name.rpartition("/")[2]
    return set(found)
