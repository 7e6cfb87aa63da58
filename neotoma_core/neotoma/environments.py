"""Production or development, as file and folder names say (format, section 6.1)."""

import re
from typing import Final, Literal

Environment = Literal["production", "development"]

RAW_FOLDERS: Final[dict[Environment, str]] = {
    "production": "sources_prod",
    "development": "sources",
}
DATABASE_NAMES: Final[dict[Environment, str]] = {
    "production": "neotoma.prod.db",
    "development": "neotoma.db",
}
STORED_FILE: Final = r"^\.*[^./:\\\x00][^/:\\\x00]*/[0-9a-f]{64}$"
"""A storage_url that names bytes Neotoma itself stored: ``<user id>/<sha256>``.

What would lead out of the raw folder is not one.
"""

_PRODUCTION: Final = re.compile(r"(?<![a-z])prod(uction)?(?![a-z])")
# The plain name, with what copying programs add: "neotoma (1).db", "neotoma.db.bak".
_DEVELOPMENT: Final = re.compile(r"neotoma( \(?\d+\)?| copy.*)?\.(dev\.)?db(\..*|-.*)?$")


def environment_of(name: str) -> Environment | None:
    """Return the environment a database's file name speaks of; None where it says nothing."""
    lowered = name.lower()
    if _PRODUCTION.search(lowered):
        return "production"
    return "development" if _DEVELOPMENT.match(lowered) else None
