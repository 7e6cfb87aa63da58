"""Which of the copies that were found are those of one database."""

from contextlib import suppress
from pathlib import Path

from neotoma_core.coverage.identity import Family, family_of_target
from neotoma_core.errors import UsageError
from neotoma_core.find.search import Found
from neotoma_core.neotoma.environments import environment_of


def number_of(found: Found, target: Path) -> int | None:
    """Return the number of the copy that is the target itself."""
    for copy in found.copies:
        with suppress(FileNotFoundError):  # gone since it was found, or not there yet
            if not copy.member and copy.path.samefile(target):
                return copy.number
    return None


def family_of(found: Found, target: int | None, path: Path) -> Family:
    """Return the copies of the target's database; raises UsageError where that is unclear."""
    families = family_of_target(
        target, environment_of(path.name), found.families, found.known, found.observations
    )
    telling = [f for f in families if any(found.known[n].observations for n in f)]
    families = tuple(telling) or families
    if len(families) == 1:
        return families[0]
    if not families:
        return (target,) if target is not None else ()
    why = "there is no such file" if target is None else "it shares nothing with any copy"
    first = ", ".join(found.copies[family[0]].shown for family in families[:3])
    raise UsageError(
        f"{path}: {why}, and copies of {len(families)} different "
        f"databases were found ({first}); name those that are its own with --backup"
    )
