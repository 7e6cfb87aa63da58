"""Raw files and logs of a database, and keeping them with its backup."""

import re
import tarfile
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neotoma_core.documents.stored_file import StoredFile
from neotoma_core.erased.files import find_erased_files
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.files.compressed import compress_file
from neotoma_core.neotoma.environments import RAW_FOLDERS, STORED_FILE, Environment
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.vault.backups import LOGS
from neotoma_core.vault.blobs import add_blobs, blob_sizes
from neotoma_core.vault.manifests import RawFiles
from neotoma_core.vault.raw_files import raw_file_names
from neotoma_core.vault.raw_folders import RawFolder

# What an id may be in a line: with and without the marks that ids are made of.
_WORDS: Final = tuple(map(re.compile, (r"[\w-]+", r"[\w:.@/+-]+")))
_LOG_FOLDERS: Final[dict[Environment, str]] = {"production": "logs_prod", "development": "logs"}


@dataclass(slots=True)
class KeptRawFiles:
    """Raw files that are in the blobs now: ``sizes`` by ``<folder>/<user>/<sha256>``.

    ``damaged``, ``missing``: names without a good copy; ``held``: how many only the vault has;
    ``erased``: how many are left out since they are of what was erased.
    """

    sizes: dict[str, int] = field(default_factory=dict)
    damaged: int = 0
    missing: int = 0
    held: int = 0
    erased: int = 0

    @property
    def summary(self) -> RawFiles:
        """Return what a manifest says of them."""
        size = sum(self.sizes.values())
        return RawFiles(len(self.sizes), size, self.missing, self.damaged, self.held)


def keep_raw_files(
    vault: Path, folders: Sequence[RawFolder], wanted: AbstractSet[str], erased: ErasedIds
) -> KeptRawFiles:
    """Bring the raw files of a database into the blobs.

    ``folders``: where it may have some, first where Neotoma keeps them now. ``wanted``: the files
    its sources name. One that is nowhere any more, and that the vault has from an earlier backup,
    belongs to this backup, too: or rotation would remove the last copy there is. One that is
    ``erased`` and that no source names is not kept again.
    """
    kept = KeptRawFiles()
    good: set[str] = set()
    bad: set[str] = set()
    for folder in folders:
        names = raw_file_names(folder.path)
        if folder.shared:
            names = [name for name in names if name in wanted and name not in good]
        gone = find_erased_files(erased, names, wanted)
        names = [name for name in names if name not in gone]
        kept.erased += len(gone)
        sizes, damaged = add_blobs(vault, folder.path, names)
        kept.sizes |= _in_folder(folder.environment, sizes)
        good |= set(sizes)
        bad |= set(damaged)
    held = blob_sizes(vault, sorted(wanted - good))
    kept.sizes |= _in_folder(folders[0].environment, held)
    kept.held = len(held)
    bad -= good | set(held)
    kept.damaged = len(bad)
    kept.missing = len(wanted - good - bad - set(held))
    return kept


def _in_folder(environment: Environment, sizes: Mapping[str, int]) -> dict[str, int]:
    return {f"{RAW_FOLDERS[environment]}/{name}": size for name, size in sizes.items()}


def names_of_raw_files(whole: Path) -> set[str]:
    """Return the raw files that the sources of a whole copy name."""
    pattern = re.compile(STORED_FILE)
    with closing(connect_read_only(whole)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        columns = connection.execute("SELECT name FROM pragma_table_info('sources')").fetchall()
        if ("storage_url",) not in columns:
            return set()
        rows = connection.execute("SELECT DISTINCT storage_url FROM sources").fetchall()
    return {url for (url,) in rows if isinstance(url, str) and pattern.fullmatch(url)}


def find_logs(
    target: Path, environment: Environment | None, erased: ErasedIds
) -> tuple[list[Path], list[Path]]:
    """Return Neotoma's logs next to ``target``, and those that name what was erased."""
    names = [_LOG_FOLDERS[environment]] if environment else list(_LOG_FOLDERS.values())
    logs = [f for name in names for f in sorted((target.parent / name).rglob("*")) if f.is_file()]
    telling = find_logs_in(logs, erased)
    return [log for log in logs if log not in telling], telling


def find_logs_in(logs: Sequence[Path], erased: ErasedIds) -> list[Path]:
    """Return those of some logs that name what was erased."""
    return [log for log in logs if erased and _names_erased(log, erased)]


def _names_erased(log: Path, erased: ErasedIds) -> bool:
    with log.open("rb") as lines:
        for line in lines:
            text = line.decode(errors="replace")
            words = {word for pattern in _WORDS for word in pattern.findall(text)}
            if any(erased.among(kind, words) for kind in erased.kinds):
                return True
    return False


def keep_logs(
    logs: Mapping[str, Path], folder: Path, scratch: Path
) -> tuple[StoredFile | None, int]:
    """Keep logs, by their place next to the database, in a backup's folder; return how many."""
    if not logs:
        return None, 0
    plain = scratch / "logs.tar"
    with tarfile.open(plain, "x") as archive:
        for name, log in logs.items():
            archive.add(log, name, recursive=False)
    return compress_file(plain, folder / LOGS), len(logs)
