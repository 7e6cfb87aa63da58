"""Looking at databases in tests: views of them, entities shown, two compared."""

from pathlib import Path
from tempfile import mkdtemp

from neotoma_core.entity_view.diff import DiffRequest, diff_places
from neotoma_core.entity_view.diff_report import DiffReport
from neotoma_core.entity_view.entity import Beside, show_entity
from neotoma_core.entity_view.entity_report import EntityReport
from neotoma_core.entity_view.naming import Named, read_names, require_named
from neotoma_core.entity_view.opening import Looking, View, open_view
from neotoma_core.entity_view.places import Place, split_moment
from neotoma_core.report.progress import Silent
from tests.conftest import NOW
from tests.support.databases import Row


def looking(folder: Path, vault: Path | None = None) -> Looking:
    return Looking(vault or folder / "no-vault", Path(mkdtemp(dir=folder)), NOW)


def place(words: Path | str) -> Place:
    named, moment = split_moment(str(words))
    return Place(str(words), Path(named), moment)


def view(words: Path | str, folder: Path, vault: Path | None = None) -> View:
    return open_view(place(words), looking(folder, vault), Silent())


def name(seen: View, words: str, entity_type: str | None = None) -> tuple[Named, ...]:
    return require_named(seen, read_names(seen, entity_type), words)


def show(
    words: Path | str,
    entity: str,
    folder: Path,
    *,
    archive: Path | None = None,
    vault: Path | None = None,
) -> EntityReport:
    seen = view(words, folder, vault)
    names = read_names(seen)
    (one,) = require_named(seen, names, entity)
    return show_entity(seen, names, one, Beside(archive))


def diff(
    before: Path | str,
    after: Path | str,
    folder: Path,
    *,
    values: bool = False,
    limit: int = 20,
    parquet: Path | None = None,
) -> DiffReport:
    request = DiffRequest(place(before), place(after), values, limit, parquet)
    return diff_places(request, looking(folder), Silent())


def edge(identifier: str, start: str, end: str, **cells: object) -> Row:
    return {
        "id": identifier,
        "relationship_key": f"KNOWS:{start}:{end}",
        "relationship_type": "KNOWS",
        "source_entity_id": start,
        "target_entity_id": end,
        "observed_at": "2026-02-01T00:00:00.000Z",
        "created_at": "2026-02-01T00:00:00.000Z",
        "metadata": "{}",
        "user_id": "u",
        **cells,
    }
