"""Where copies of a database are looked for unless somebody says where."""

from pathlib import Path

from neotoma_core.files.keys import KeySource
from neotoma_core.find.search import SearchRequest
from neotoma_core.settings.environment import places_around, shallow_places


def search_around(target: Path, key: KeySource | None = None) -> SearchRequest:
    """Return the search of `midden status` and `midden recover` where no place is named.

    Of a database that is gone only the files in its folder are looked at: a misspelt name shall not
    have the disk searched.
    """
    folder = target.absolute().parent
    if target.exists():
        return SearchRequest(places_around(target), key=key, shallow=shallow_places(), around=True)
    there = dict.fromkeys((*((folder,) if folder.is_dir() else ()), *shallow_places()))
    return SearchRequest((), key=key, shallow=tuple(there), around=True)
