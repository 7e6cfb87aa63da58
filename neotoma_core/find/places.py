"""Where copies of a database are looked for unless somebody says where."""

from pathlib import Path

from neotoma_core.files.keys import KeySource
from neotoma_core.find.search import SearchRequest
from neotoma_core.runs.commands import command
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


def look_further(where: SearchRequest, target: Path, vault: Path) -> str | None:
    """Return the command that recovers from copies anywhere in the home folder.

    None where somebody said where to look, or all of the home folder was searched.
    """
    home = Path.home()
    if not where.around or any(home.is_relative_to(place) for place in where.paths):
        return None
    return command("recover", target=target, vault=vault, then=("--search", home))
