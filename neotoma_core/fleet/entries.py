"""Which databases a fleet has, and with which of them nothing may be done.

A vault protects one database. Where the file names one vault for several, the database that the
vault protects already goes on, and the others are refused; where nobody can say, all of them are.
Of a database that is listed twice, the first name counts, as everywhere.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from neotoma_core.errors import MiddenError, UsageError
from neotoma_core.settings.configuration import Configuration, ConfiguredDatabase
from neotoma_core.settings.environment import configured_vault, variable
from neotoma_core.vault.folder import DESCRIPTION, read_description
from neotoma_core.words.nearest import nearest_named


@dataclass(frozen=True, slots=True)
class FleetEntry:
    """One configured database. ``refusal``: why nothing is done with it, None where all is well."""

    name: str
    target: Path
    vault: Path
    refusal: str | None = None


def plan_fleet(known: Configuration, names: Sequence[str] = ()) -> tuple[FleetEntry, ...]:
    """Return the databases of a configuration, or those of some names, in the order of the file.

    Raises UsageError where there is none, where a name is not configured, and where MIDDEN_VAULT
    names one vault for all of them.
    """
    if not known.databases:
        wrong = "names no database" if known.found else "there is none"
        raise UsageError(f"{known.file}: {wrong}; name each in a [databases.NAME]")
    if variable("MIDDEN_VAULT") and len(known.databases) > 1:
        raise UsageError(
            "MIDDEN_VAULT names one vault, and each database needs its own; unset it, and name "
            f"vaults in {known.file}"
        )
    there = [one.name for one in known.databases]
    for name in names:
        if name not in there:
            raise UsageError(
                f"{name}: no database of that name in {known.file}{nearest_named(name, there)}"
            )
    return tuple(one for one in list_entries(known) if not names or one.name in names)


def list_entries(known: Configuration) -> Iterator[FleetEntry]:
    """Yield every database, with the reason where nothing may be done with it."""
    first: dict[object, str] = {}
    sharing: dict[object, list[ConfiguredDatabase]] = {}
    for one in known.databases:
        if first.setdefault(_identity(one.path), one.name) == one.name:
            sharing.setdefault(_identity(configured_vault(one)), []).append(one)
    for one in known.databases:
        vault = configured_vault(one)
        same = first[_identity(one.path)]
        twice = f"the same database as {same}; remove one of them from {known.file}"
        refusal = twice if same != one.name else _share(one, vault, sharing[_identity(vault)])
        yield FleetEntry(one.name, one.path, vault, refusal)


def _share(
    one: ConfiguredDatabase, vault: Path, sharing: Sequence[ConfiguredDatabase]
) -> str | None:
    others = [other.name for other in sharing if other.name != one.name]
    if not others or _protects(vault, one.path):
        return None
    return f"its vault {vault} is also that of {', '.join(others)}; give each one of its own"


def _protects(vault: Path, target: Path) -> bool:
    with suppress(MiddenError, OSError):
        if (vault / DESCRIPTION).is_file():
            said = read_description(vault)
            known = said.identity.target if said.identity else None
            return Path(known or said.protects).resolve() == target.resolve()
    return False


def _identity(path: Path) -> object:
    """Return what is equal for two paths of one file or folder: by links, too."""
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return path.resolve()
