"""Tests of the flows.

Prefect reads these when it is imported: they keep it out of the user's own folder, and quiet.
"""

import os
from tempfile import TemporaryDirectory

_home = TemporaryDirectory(prefix="midden-prefect-")

os.environ.update(  # noqa: TID251 - not read here, and there is no other way to say it
    PREFECT_HOME=_home.name,
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    DO_NOT_TRACK="1",
)
