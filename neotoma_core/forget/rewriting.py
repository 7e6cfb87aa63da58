"""One backup rewritten without what was erased, proven before it takes its place.

restored → erased → measured → stored aside → drilled → installed → the old one taken away

Killed at any moment, there is the old one, or both, or the new one alone.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from neotoma_core.backup.drills.drill import Drilling, DrillRules, drill_backup
from neotoma_core.backup.raw_files import keep_logs, names_of_raw_files
from neotoma_core.comparison.faults import read_faults
from neotoma_core.comparison.measuring import count_contents, fingerprint_tables
from neotoma_core.erasure.applying import apply_erasure
from neotoma_core.erasure.rows import scrub
from neotoma_core.files.interrupts import on_scratch
from neotoma_core.forget.holding import Forgetting, Held, read_backup_held
from neotoma_core.neotoma.tables import SECRET
from neotoma_core.sqlite.copies import read_file_state, sha256_of
from neotoma_core.sqlite.inspection import inspect_database
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.vault.backups import (
    FOLDER,
    install_backup,
    keep_database,
    set_aside,
    write_manifest,
    write_raw_list,
    write_state,
)
from neotoma_core.vault.blobs import blob_folder
from neotoma_core.vault.folder import RunFolders, require_room
from neotoma_core.vault.manifests import Backup, Manifest, RawFiles

_ROOM: Final = 6  # times the database: restored, erased from, stored again, drilled
_NUMBERED: Final = re.compile(r"\.\d+$")
_SECRET: Final = frozenset(table.name for table in SECRET)


class NotRewritten(Exception):
    """A backup could not be rewritten: the old one stays. ``why`` says so, without a value."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def rewrite_backup(
    forgetting: Forgetting, backup: Backup, others: Sequence[Backup]
) -> tuple[Backup, Held] | None:
    """Rewrite a backup without what was erased and remove the old one; None if it holds none.

    ``others``: backups whose database file it may share. Raises NotRewritten where the new one does
    not pass its drill, and what ``read_backup_held`` does.
    """
    vault, work = forgetting.folders.vault, forgetting.folders.work
    require_room(work, _ROOM * backup.manifest.database.plain_size)
    with TemporaryDirectory(dir=work) as place:
        scratch = Path(place)
        held = read_backup_held(forgetting, backup, scratch)
        if held.is_clean:
            return None
        _leave_out(held, scratch)
        aside = scratch / "vault"  # as a vault, so that it can be drilled before it is in its own
        (aside / FOLDER).mkdir(parents=True, mode=0o700)
        blob_folder(aside).symlink_to(blob_folder(vault).absolute())
        new = _store(forgetting, backup, held, aside, others)
        new = _proven(forgetting, backup, new, aside)
        install_backup(aside / FOLDER / new.name, vault, new.name)
        take_away(forgetting.folders, backup)
    return new, held


def take_away(folders: RunFolders, backup: Backup) -> None:
    """Remove a backup in whose place another one is."""
    gone = folders.work / "replaced"
    set_aside(folders.vault, backup.name, gone)
    shutil.rmtree(gone, ignore_errors=True)


def _leave_out(held: Held, scratch: Path) -> None:
    """Erase from the restored copy what is erased; its transaction proves that nothing else goes.

    Free pages are dropped, too: they hold what was deleted before.
    """
    if held.plan.writes:
        with on_scratch():
            apply_erasure(held.plan, held.whole, {"": read_file_state(held.whole)}, scratch)
            scrub(held.whole)


def _store(
    forgetting: Forgetting, old: Backup, held: Held, aside: Path, others: Sequence[Backup]
) -> Backup:
    """Store what is left as a backup in a folder of its own, not proven yet."""
    vault = forgetting.folders.vault
    name = _free_name(vault, old.name)
    folder = aside / FOLDER / name
    folder.mkdir(mode=0o700)
    scratch = aside.parent
    sizes = {n: size for n, size in held.sizes.items() if n not in held.erased_files}
    files = [write_raw_list(folder, sizes, scratch)]
    logs = {n: path for n, path in held.logs.items() if n not in held.erased_logs}
    kept_logs, log_files = keep_logs(logs, folder, scratch)
    described = _describe(old.manifest, held.whole)
    described = replace(
        described,
        name=name,
        files=(*files, *([kept_logs] if kept_logs else [])),
        raw_files=_raw_files(old.manifest.raw_files, sizes, names_of_raw_files(held.whole)),
        logs=log_files,
        rewritten_at=forgetting.now.astimezone(UTC),
    )
    database, _ = keep_database(held.whole, sha256_of(held.whole), folder, vault, others)
    manifest = replace(described, database=database)
    state = replace(old.state, drill=None, verified_at=None)
    write_manifest(folder, manifest, state)
    return Backup(manifest, state)


def _describe(manifest: Manifest, whole: Path) -> Manifest:
    """Return a manifest with what a whole copy holds now."""
    with closing(connect_read_only(whole)) as connection:
        tables = {t.name: t for t in inspect_database(connection, whole).tables}
    return replace(
        manifest,
        fingerprints=fingerprint_tables(whole, tables.values(), whole),
        counts=count_contents(whole, tables, whole),
        secret_tables=tuple(sorted(n for n, t in tables.items() if t.rows and n in _SECRET)),
        faults=read_faults(whole),
    )


def _raw_files(old: RawFiles, sizes: Mapping[str, int], named: set[str]) -> RawFiles:
    lacking = len(named - {name.partition("/")[2] for name in sizes})
    damaged = min(old.damaged, lacking)
    return RawFiles(
        count=len(sizes),
        bytes=sum(sizes.values()),
        missing=lacking - damaged,
        damaged=damaged,
        held=min(old.held, len(sizes)),
    )


def _proven(forgetting: Forgetting, old: Backup, new: Backup, aside: Path) -> Backup:
    """Drill the new backup where it lies; raises NotRewritten unless it is as good."""
    # What is left may be nothing: then everything in it was erased.
    rules = DrillRules(forgetting.key, expect_empty=True)
    drilling = Drilling(aside, forgetting.folders.work, rules, forgetting.now, forgetting.progress)
    drill = drill_backup(drilling, new)
    if drill.outcome != "pass":
        raise NotRewritten(f"its new form did not pass its drill: {'; '.join(drill.reasons)}")
    new = replace(new, state=new.state.after_drill(drill))
    if old.is_good and not new.is_good:
        raise NotRewritten("its new form would not count as good")
    write_state(aside, new.name, new.state)
    return new


def _free_name(vault: Path, name: str) -> str:
    """Return a name that is free: that of the first one of this backup, with a number."""
    first = _NUMBERED.sub("", name)
    number = 2
    while (vault / FOLDER / f"{first}.{number}").exists():
        number += 1
    return f"{first}.{number}"
