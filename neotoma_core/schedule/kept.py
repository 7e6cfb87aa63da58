"""How many backups of a database are kept, by what is configured."""

from datetime import timedelta
from pathlib import Path

from neotoma_core.backup.retention import DEFAULT, RetentionPolicy
from neotoma_core.documents.spans import span_in
from neotoma_core.settings.configuration import Configuration


def kept_of(known: Configuration, target: Path) -> RetentionPolicy:
    """Return the policy of a database; the default one where nothing is said of it."""
    database = known.at(target)
    said = dict(database.settings.retention) if database else {}
    if not said:
        return DEFAULT
    within = span_in(said.pop("within", "0s")) or timedelta(0)
    return RetentionPolicy(within=within, **{kind: int(count) for kind, count in said.items()})
