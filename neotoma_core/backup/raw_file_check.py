"""Whether the raw files of the newest backup are still with the database; none is read."""

from pathlib import Path

from neotoma_core.comparison.anomaly import raw_file_loss
from neotoma_core.erased.files import find_erased_files
from neotoma_core.files.compressed import NotIntact
from neotoma_core.ledger.file import read_erased
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.report.protection import RawFilesGone
from neotoma_core.vault.backups import FOLDER, list_backups, read_raw_list
from neotoma_core.vault.raw_files import raw_file_names
from neotoma_core.vault.raw_folders import folders_in_use


def raw_files_gone(
    target: Path, vault: Path, raw_storage: Path | None, scratch: Path
) -> RawFilesGone | None:
    """Return how many raw files of the newest backup are gone from the database's folders.

    What was erased since does not count. None where no backup has a raw file, or its list cannot be
    read, which `midden verify` says. Raises VaultDamaged.
    """
    backups = list_backups(vault).backups
    if not backups or not backups[-1].manifest.raw_files.count:
        return None
    newest = backups[-1]
    folder = vault / FOLDER / newest.name
    try:
        listed = read_raw_list(folder, newest.manifest, scratch)
    except NotIntact:
        return None
    names = {name.partition("/")[2] for name in listed}
    names -= find_erased_files(read_erased(vault), names)
    places = folders_in_use(target, environment_of(target.name), raw_storage)
    here = {name for place in places for name in raw_file_names(place.path)}
    gone = len(names - here)
    alarm = raw_file_loss(len(names) - gone, [len(names)])
    return RawFilesGone(str(folder), len(names), gone, alarming=alarm is not None)
