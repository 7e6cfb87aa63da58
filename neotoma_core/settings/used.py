"""The database that Neotoma uses, for a command that nobody named one to."""

from pathlib import Path

from neotoma_core.errors import UsageError
from neotoma_core.settings.environment import configuration, neotoma_settings
from neotoma_core.settings.neotoma import NeotomaSettings
from neotoma_core.words.shell_words import quote_word


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


def no_database_named(how: str = "with --target") -> UsageError:
    """Return the error of a command that needs a database and got none: it names those there are.

    ``how`` the database is named.
    """
    return UsageError(f"name the database {how}{_say_known()}")


def _say_known() -> str:
    """Return which databases midden.toml names, or else where Neotoma has its own; or nothing."""
    try:
        names = [one.name for one in configuration().databases]
        if names:
            return f"; midden.toml names {', '.join(names)}"
        usual = neotoma_settings().database(None)
    except UsageError:  # it is said where the settings are what is asked about
        return ""
    if not usual.parent.is_dir():
        return ""
    there = "" if usual.exists() else ", and it is gone"
    return f"; Neotoma's is {quote_word(usual.absolute())}{there}"
