"""Raw files and logs beside a database, and keeping them with its backup."""

import re
import tarfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neotoma_core.environments import RAW_FOLDERS, Environment
from neotoma_core.erasure.naming import STORED_FILE
from neotoma_core.manifests import RawFiles, StoredFile
from neotoma_core.store.backups import LOGS
from neotoma_core.store.blobs import add_blobs
from neotoma_core.store.compressed import compress_file
from neotoma_core.store.databases import connect_read_only
from neotoma_core.store.inspection import StoredTable
from neotoma_core.store.raw_files import raw_file_names

_LOG_FOLDERS: Final[dict[Environment, str]] = {"production": "logs_prod", "development": "logs"}


@dataclass(slots=True)
class KeptRawFiles:
    """Raw files that are in the blobs now: ``sizes`` by ``<folder>/<user>/<sha256>``."""

    sizes: dict[str, int] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    missing: int = 0

    @property
    def summary(self) -> RawFiles:
        """Return what a manifest says of them."""
        return RawFiles(len(self.sizes), sum(self.sizes.values()), self.missing, len(self.damaged))


def keep_raw_files(
    vault: Path, target: Path, environment: Environment | None, wanted: Iterable[str]
) -> KeptRawFiles:
    """Bring the raw files beside ``target`` into the blobs; ``wanted``: those its sources name."""
    kept = KeptRawFiles()
    found: set[str] = set()
    for name in [RAW_FOLDERS[environment]] if environment else RAW_FOLDERS.values():
        folder = target.parent / name
        sizes, damaged = add_blobs(vault, folder, raw_file_names(folder))
        kept.sizes |= {f"{name}/{file}": size for file, size in sizes.items()}
        kept.damaged += [f"{name}/{file}" for file in damaged]
        found |= {*sizes, *damaged}
    kept.missing = len(set(wanted) - found)
    return kept


def named_raw_files(whole: Path, tables: dict[str, StoredTable]) -> set[str]:
    """Return the raw files that the sources of a whole copy name."""
    if "storage_url" not in (tables["sources"].columns if "sources" in tables else ()):
        return set()
    pattern = re.compile(STORED_FILE)
    with closing(connect_read_only(whole)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        rows = connection.execute("SELECT DISTINCT storage_url FROM sources").fetchall()
    return {url for (url,) in rows if isinstance(url, str) and pattern.fullmatch(url)}


def keep_logs(
    target: Path, environment: Environment | None, folder: Path, scratch: Path
) -> tuple[StoredFile | None, int]:
    """Keep Neotoma's logs beside ``target`` in a backup's folder; return how many files."""
    names = [_LOG_FOLDERS[environment]] if environment else list(_LOG_FOLDERS.values())
    logs = [f for name in names for f in sorted((target.parent / name).rglob("*")) if f.is_file()]
    if not logs:
        return None, 0
    plain = scratch / "logs.tar"
    with tarfile.open(plain, "x") as archive:
        for log in logs:
            archive.add(log, log.relative_to(target.parent).as_posix(), recursive=False)
    return compress_file(plain, folder / LOGS), len(logs)
