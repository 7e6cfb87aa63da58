"""What the process that reads files from outside does with rows; see ``program``.

It is apart from that, since it loads what takes longer than most first looks do.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from neotoma_core.comparison.holdings import Coder
from neotoma_core.salvage.examining import examine
from neotoma_core.salvage.ruins import salvage_ruin
from neotoma_core.workers.answers import Answer
from neotoma_core.workers.examined import plain_of_examined
from neotoma_core.workers.framing import from_bytes
from neotoma_core.workers.setting import Setting, setting_from_plain


@lru_cache(maxsize=1)
def _setting(content: bytes) -> Setting:
    return setting_from_plain(from_bytes(content))


def examine_copy(task: Mapping[str, Any], setting: bytes) -> Answer:
    """Examine a copy, by the setting in some bytes."""
    by = _setting(setting)
    coder = Coder(by.erased)
    path, shown, folder = (Path(task[name]) for name in ("path", "shown", "folder"))
    examined = examine(path, shown, folder, coder, by.key, task["damage"])
    if examined is None:
        return {"read": None}, {}
    read, tables = plain_of_examined(examined, coder)
    return {"read": read}, tables


def salvage_copy(task: Mapping[str, Any]) -> Answer:
    """Salvage what can be had of a ruin."""
    folder = Path(task["folder"])
    saved = salvage_ruin(Path(task["path"]), Path(task["shown"]), folder)
    if saved is None:
        return {"read": None}, {}
    return {"read": {**asdict(saved), "database": saved.database.name}}, {}
