"""Entities by what people call them: an id, a name or a type; case and accents do not count."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.entity_view.opening import View
from neotoma_core.errors import UsageError
from neotoma_core.export.stated import as_values, members
from neotoma_core.neotoma.json import parse_json
from neotoma_core.reduce.cut_off import up_to
from neotoma_core.report.layout import escape_name
from neotoma_core.words.nearest import nearest_named

NAMES: Final = {
    "entity_id": pl.String,
    "entity_type": pl.String,
    "name": pl.String,
    "rank": pl.Int64,
    "folded": pl.String,
}
"""One row per entity and name: its own, an alias, what a naming field ever said.

``rank``: the lower, the more it is what people call the entity.
"""

NAMING_FIELDS: Final = (
    *("name", "full_name", "display_name", "canonical_name", "title", "label", "subject"),
    *("email", "username", "handle", "phone"),
)
_ALIAS: Final = len(NAMING_FIELDS)
_REGISTERED: Final = _ALIAS + 1  # what Neotoma looks an entity up by
_SHOWN: Final = 5
_NEAR: Final = 0.6


@dataclass(frozen=True, slots=True)
class Named:
    """An entity that answers to what was asked for."""

    entity_id: str
    entity_type: str
    name: str


def fold(text: str) -> str:
    """Return a text in which neither case nor accents nor the kind of blanks count."""
    apart = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in apart if not unicodedata.combining(c))
    return re.sub(r"\s+", " ", plain.casefold()).strip()


def read_names(view: View, entity_type: str | None = None) -> pl.DataFrame:
    """Return ``NAMES`` of all entities, or of those of one type; raises UsageError for no type."""
    registry = view.entities()
    own = registry.select(
        "entity_type", entity_id="id", name="canonical_name", rank=pl.lit(_REGISTERED, pl.Int64)
    )
    parts = [own, _aliases(registry), *_read_stated(view)]
    columns = ("entity_id", "entity_type", "name", "rank")
    every = pl.concat([part.select(columns) for part in parts]).drop_nulls().unique()
    if entity_type is not None:
        types = every["entity_type"].unique().to_list()
        every = every.filter(pl.col("entity_type") == entity_type)
        if every.is_empty():
            near = nearest_named(entity_type, types)
            raise UsageError(f"{view.place.words}: no entity of the type {entity_type}{near}")
    texts = every["name"].unique()
    by_text = pl.Series([fold(text) for text in texts], dtype=pl.String)
    said = every.with_columns(folded=pl.col("name").replace_strict(texts, by_text))
    # Neotoma puts the type before the name that it looks entities up by.
    prefix = pl.col("entity_type").str.to_lowercase() + ":"
    return said.with_columns(folded=pl.col("folded").str.strip_prefix(prefix)).sort(
        "entity_type", "entity_id", "rank", "name"
    )


def find_named(names: pl.DataFrame, words: str) -> tuple[Named, ...]:
    """Return the entities that words name.

    The first that names any: an id, a whole name, a type, a part of a name.
    """
    wanted = fold(words)
    holds = pl.col("folded").str.contains(wanted, literal=True) & pl.lit(bool(wanted))
    for meant in (
        pl.col("entity_id") == words,
        pl.col("folded") == wanted,
        pl.col("entity_type") == words,
        holds,
    ):
        found = names.filter(meant)
        if found.height:
            return _name_entities(names, found)
    return ()


def require_named(view: View, names: pl.DataFrame, words: str) -> tuple[Named, ...]:
    """Return the entities that words name; raises UsageError, which tells the nearest by id."""
    found = find_named(names, words)
    if found:
        return found
    near = nearest(names, words)
    listed = ", ".join(
        f"{escape_name(one.entity_id)} ({escape_name(one.entity_type)})" for one in near
    )
    advice = f"the nearest are {listed}" if near else "check the spelling, or give its id"
    raise UsageError(f"{view.place.words}: no entity of that name, type or id; {advice}")


def nearest(names: pl.DataFrame, words: str) -> tuple[Named, ...]:
    """Return the entities whose names are nearest to words; none where none is near."""
    texts = names["folded"].unique().sort().to_list()
    near = difflib.get_close_matches(fold(words), texts, n=_SHOWN, cutoff=_NEAR)
    ids = difflib.get_close_matches(words, names["entity_id"].unique().sort().to_list(), n=1)
    is_near = pl.col("folded").is_in(near) | pl.col("entity_id").is_in(ids)
    return _name_entities(names, names.filter(is_near))[:_SHOWN]


def titles(names: pl.DataFrame, ids: Sequence[str]) -> dict[str, Named]:
    """Return the entities of some ids by their ids, as far as they have a name."""
    found = names.filter(pl.col("entity_id").is_in(list(ids)))
    return {one.entity_id: one for one in _name_entities(names, found)}


def _name_entities(names: pl.DataFrame, found: pl.DataFrame) -> tuple[Named, ...]:
    """Return the entities of some names, each once, by the name that says the most."""
    ids = found.select(pl.col("entity_id").unique())
    best = (
        names.join(ids, on="entity_id", how="semi")
        .sort("rank", "entity_id", "name")
        .unique("entity_id", keep="first", maintain_order=True)
        .sort("entity_type", "name", "entity_id")
    )
    return tuple(Named(*row) for row in best.select("entity_id", "entity_type", "name").iter_rows())


def _aliases(registry: pl.DataFrame) -> pl.DataFrame:
    rows: list[tuple[str, str, str]] = []
    told = registry.filter(pl.col("aliases").str.len_chars() > len("[]"))
    for entity, kind, text in told.select("id", "entity_type", "aliases").iter_rows():
        value = _parse(text)
        texts = value if isinstance(value, list) else []
        rows += [(entity, kind, alias) for alias in texts if isinstance(alias, str)]
    schema = dict.fromkeys(("entity_id", "entity_type", "name"), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        rank=pl.lit(_ALIAS, pl.Int64)
    )


def _parse(text: str) -> object:
    try:
        return parse_json(text)
    except ValueError:
        return None


def _read_stated(view: View) -> list[pl.DataFrame]:
    """Return what naming fields of observations say, bucket by bucket."""
    parts = []
    for number in range(view.buckets("observations")):
        rows = up_to(view.read_observations("observations", number), view.end).with_row_index("row")
        apart = members(rows.select("row", text="fields"))
        naming = apart.filter(pl.col("field").is_in(NAMING_FIELDS))
        said = as_values(naming).filter(pl.col("value_type") == "string")
        owners = rows.select("row", "entity_id", "entity_type")
        ranks = pl.col("field").replace_strict(NAMING_FIELDS, range(_ALIAS), return_dtype=pl.Int64)
        parts.append(
            said.join(owners, on="row").select("entity_id", "entity_type", name="value", rank=ranks)
        )
    return parts
