"""The database that Neotoma uses, for a command that nobody named one to."""

from pathlib import Path

from neotoma_core.errors import UsageError
from neotoma_core.settings.neotoma import NeotomaSettings


def used_database(settings: NeotomaSettings) -> Path:
    """Return the database that Neotoma uses, or of its two environments the one that has one.

    Raises UsageError where that is not clear, or where it does not exist yet.
    """
    try:
        usual = settings.database(None)
        places = (usual, settings.database("production"), settings.database("development"))
    except UsageError:
        raise UsageError(
            "Neotoma's settings contradict each other; name the database with --target"
        ) from None
    if usual.is_file():
        return usual
    there = {place for place in places if place.is_file()}
    if len(there) != 1:
        raise UsageError(
            f"{usual}: that is where Neotoma's settings put its database, and there is none; "
            "name the database with --target"
        )
    return there.pop()
