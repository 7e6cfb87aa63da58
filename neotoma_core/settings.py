"""The only reader of the environment."""

import hashlib
import os
import re
from pathlib import Path

import platformdirs


def default_vault(target: Path) -> Path:
    """Return the vault of a database: MIDDEN_VAULT, or a folder of its own under the user's data.

    The folder is named after the database and a short hash of its path, so that two databases of
    one name do not share a vault.
    """
    chosen = os.environ.get("MIDDEN_VAULT")
    if chosen:
        return Path(chosen)
    path = str(target.resolve())
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", target.name)
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    return platformdirs.user_data_path("midden") / f"{slug}-{digest}"
