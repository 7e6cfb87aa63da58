"""How many backups of a database are kept, by what is configured."""

from datetime import timedelta
from pathlib import Path

from neotoma_core.backup.retention import DEFAULT, RetentionPolicy
from neotoma_core.documents.spans import span_in
from neotoma_core.settings.configuration import Configuration
from neotoma_core.settings.database_tables import DatabaseSettings


def kept_of(known: Configuration, target: Path) -> RetentionPolicy:
    """Return the policy of a database; the default one where nothing is said of it."""
    database = known.at(target)
    return kept_by(database.settings) if database else DEFAULT


def kept_by(settings: DatabaseSettings) -> RetentionPolicy:
    """Return the policy that the settings of a database state; the default one where none is."""
    said = dict(settings.retention)
    if not said:
        return DEFAULT
    within = span_in(said.pop("within", "0s")) or timedelta(0)
    return RetentionPolicy(within=within, **{kind: int(count) for kind, count in said.items()})
