"""Random observations that reach every rule of the reducer, and every odd way to write JSON."""

from dataclasses import replace
from typing import Final

import polars as pl
from hypothesis import strategies as st

from neotoma_core.neotoma.cells import ODD
from neotoma_core.neotoma.schemas import Converter, EntitySchema, FieldRule, Registry

SCALARS: Final = (
    *("null", "true", "false", '"a"', '"b"', '"A"', '""', '" "', '"é ü"', '"\\u00e9"', '"\\/"'),
    *('"q\\"uote"', '"\\u0007"', '"\\n"', '"\u2028"', '"\\u2028"', '"\\ud83d\\ude00"'),
    *('"\x7f"', '"yes"', '"TRUE "', '" 7 "', '"12.5abc"', '"Infinity"'),
    *('"-Infinity"', '"2026-01-01"', '", nan]"', '":1.0,"', '"\ufeff x"', '"e1"'),
    *("0", "-0", "-0.0", "1", "1.0", "1.50", "-1", "0.1", "1e5", "1e21", "1e-7"),
    *("0.000001", "0.0000001", "123456789012345680000", "9007199254740993", "0.30000000000000004"),
    *(
        "1769904000000",
        "1769904000000000000",
        "1769904000",
        "1e+2",
        "5e-324",
        "100000000000000000000",
    ),
)
"""JSON texts of scalars, as JavaScript writes them and otherwise."""

CONTAINERS: Final = (
    *("[]", '["a","b"]', '["b","a","b"]', "[1,1.0,true,null,null]", '["é","\\u00e9"]', "[[1],[1]]"),
    *('[{"x":1},{"x":1}]', '[{"2":1,"1":2}]', '["a", "c"]', "[ 1 , 2 ]", "[-0,0]"),
    *('"[\\"a\\",\\"b\\"]"', '" [1, 1.0] "', '"[x"', '"[1,2"', '"[not json]"'),
    *('"[]"', '"\\ufeff[1]"', "{}", '{"b":1,"a":2}', '{"10":1,"2":2}', '{"a":1,"a":2}', '{"":0}'),
    *(
        '{"n":1.0,"s":"\\u001f"}',
        '{"__proto__":1}',
        '{"deep":[{"10":0,"9":1}]}',
        '["\\u0007",1e21]',
    ),
)
"""JSON texts of arrays, objects, and strings that hold arrays."""

ONLY_EXACT: Final = (
    *('"\\ud800"', '"\\u0000"', '":1e999,"', "1E400", "-1e400", "[1e400,null]"),
    *('"[1e400,null]"', '{"a":"\\udfff"}', '{"\\u0000":1}'),
)
"""JSON texts that DuckDB cannot take apart without loss."""

NOT_JSON: Final = (
    "NaN",
    "-Infinity",
    "Infinity",
    "nan",
    "01",
    "1.",
    ".5",
    "+1",
    "'a'",
    "[1,]",
    '"\n"',
)
"""Texts that are no JSON values, though some readers take them for one."""

NOT_OBJECTS: Final = (
    *(None, "", "null", "[]", '"x"', "1", "not json", '{"a":1,}', '{"a":1} x', "\ufeff{}"),
)
"""Whole fields that are no JSON object."""

TIMES: Final = (
    *("2026-02-09T08:00:00.000Z", "2026-02-09T08:00:00.001Z", "2026-03-01T00:00:00.000Z"),
    *("2026-02-09T09:00:00.000+01:00", "2026-02-09T08:00:00.0005Z", "2026-02-09", "Feb 9, 2026"),
    *("2026-02-30T00:00:00.000Z", "2026-03-02T00:00:00.000Z", "2026-02-09T24:00:00.000Z"),
)
"""Instants, many of them equal, in the forms JavaScript reads."""

BAD_TIMES: Final = (
    *("", "20260209", "2026-02-09T08:00:60.000Z", " 2026-02-09T08:00:00.000Z"),
    *("2026-13-09T08:00:00.000Z", "٢٠٢٦-02-09T08:00:00.000Z"),
)
"""Texts in which JavaScript finds no date."""

HALVED: Final = f"{ODD}CAST(X'61EDA0BD' AS TEXT)"
"""The cell of a text that ends in half a surrogate pair."""

PLAIN_PRIORITIES: Final = ("-5", "0", "1", "100", "100", "1000", "1000")
ODD_PRIORITIES: Final = (
    *("99.5", "1000.5", "1e+20", "inf", "-inf", "9007199254740992", "9007199254740993"),
    *(f"{ODD}'high'", f"{ODD}' 7 '", f"{ODD}''", f"{ODD}X'31'"),
)
"""Cells of ``source_priority`` that the store's API takes, and others that a column can hold."""

PLAIN_SCORES: Final = ("1.0", "1.0")
ODD_SCORES: Final = ("inf", f"{ODD}'high'")

PLAIN_KEYS: Final = ("latest", "high", "high_id", "special", "special_high", "list", "texts")
CONVERTED_KEYS: Final = ("number", "text", "flag", "day", "numbers", "odd_list")
ODD_KEYS: Final = (
    *("2", "10", "01", "4294967295", "4294967294", "", 'q\\"k', "кл", "\\u043a\\u043b", "\\u0041"),
    *("__proto__", "_deleted", "name", "title", "canonical_name", "unknown", "a b"),
)
"""Keys as they stand between the quotes of a JSON text."""

_HEX: Final = "0123456789abcdef"
_CONVERTERS: Final = {
    "number": ("number", (("string", "number", "string_to_number"),)),
    "text": (
        "string",
        (("number", "string", "number_to_string"), ("boolean", "string", "boolean_to_string")),
    ),
    "flag": ("boolean", (("string", "boolean", "string_to_boolean"),)),
    "day": ("date", (("number", "date", "timestamp_ms_to_iso"),)),
    "numbers": ("number", (("string", "number", "string_to_number"),)),
    "odd_list": ("string", (("array", "string", "boolean_to_string"),)),
}


def _rules() -> dict[str, FieldRule]:
    plain = (
        FieldRule("latest", "string"),
        FieldRule("high", "string", strategy="highest_priority"),
        FieldRule("high_id", "string", (), "highest_priority", "source_priority"),
        FieldRule("special", "string", strategy="most_specific"),
        FieldRule("special_high", "string", (), "most_specific", "source_priority"),
        FieldRule("list", "array", strategy="merge_array"),
        FieldRule("texts", "string", strategy="merge_array"),
    )
    converted = (
        FieldRule(
            name,
            type_,
            tuple(Converter(*converter) for converter in converters),
            "merge_array" if name in {"numbers", "odd_list"} else "highest_priority",
        )
        for name, (type_, converters) in _CONVERTERS.items()
    )
    odd = (
        FieldRule(name, "string")
        for name in ("2", "10", "01", "4294967294", "4294967295", "", 'q"k', "кл", "__proto__")
    )
    named = (FieldRule(name, "string") for name in ("name", "title", "_deleted"))
    return {rule.name: rule for rule in (*plain, *converted, *odd, *named)}


_KEYED: Final = {
    "list": FieldRule("list", "array", (), "merge_array_by_key", key_field="x"),
    "texts": FieldRule("texts", "string", (), "merge_array_by_key"),
    "special": FieldRule("special", "string", (), "merge_somehow"),
}


def registry() -> Registry:
    """Return a registry with every strategy, tie-breaker and scope."""
    rules = _rules()
    dated = {name: replace(rule, tie_breaker="observed_at") for name, rule in rules.items()}
    ranked = ("human", "", "import", "human")
    return Registry(
        {
            ("probe", None): EntitySchema("probe", "1.2.0", rules),
            ("probe", "u2"): EntitySchema("probe", "9.0.0", {"latest": rules["latest"]}),
            ("ranked", None): EntitySchema("ranked", "2.0.0", rules, ranked),
            ("unranked", "u1"): EntitySchema("unranked", "3.0.0", rules, ()),
            ("keyed", None): EntitySchema("keyed", "4.0.0", {**rules, **_KEYED}),
            ("dated", None): EntitySchema("dated", "5.0.0", dated),
        }
    )


def object_texts(keys: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return JSON objects with the keys given, in many spellings; a few are not JSON."""
    values = st.one_of(
        st.sampled_from(SCALARS), st.sampled_from(SCALARS), st.sampled_from(CONTAINERS)
    )
    members = st.tuples(keys, values)
    plain = st.lists(members, max_size=5, unique_by=lambda member: member[0])
    rare = st.sampled_from((*ONLY_EXACT, *NOT_JSON))
    odd = st.lists(st.tuples(keys, st.one_of(values, rare)), max_size=4)
    spacing = st.sampled_from((("", ""), ("", ""), (" ", ""), ("", "\n "), ("\t", " ")))
    return st.builds(_object_text, st.one_of(*[plain] * 9, odd), spacing)


def _object_text(members: list[tuple[str, str]], spacing: tuple[str, str]) -> str:
    before, after = spacing
    texts = (f'{before}"{key}"{before}:{after}{value}{after}' for key, value in members)
    return f"{before}{{{','.join(texts)}}}{after}"


def entity_observations() -> st.SearchStrategy[pl.DataFrame]:
    """Return ``observations`` of a few entities: ids distinct, everything else collides."""
    keys = st.sampled_from((*PLAIN_KEYS, *PLAIN_KEYS, *CONVERTED_KEYS, *ODD_KEYS))
    rows = st.fixed_dictionaries(
        {
            "entity_id": st.sampled_from(("e1", "e2", "e3", "E1", "é")),
            "entity_type": st.sampled_from(
                ("probe", "probe", "dated", "ranked", "unranked", "keyed", "unheard", HALVED)
            ),
            "schema_version": st.sampled_from(("1.0", "1.0", "2.0", "")),
            "observed_at": st.sampled_from(TIMES * 6 + BAD_TIMES),
            "specificity_score": st.sampled_from((None, "0.0", "0.5", *PLAIN_SCORES, *ODD_SCORES)),
            "source_priority": st.sampled_from((None, *PLAIN_PRIORITIES * 3, *ODD_PRIORITIES)),
            "observation_source": st.sampled_from((None, "", "human", "sensor", "import", "odd")),
            "fields": st.one_of(*[object_texts(keys)] * 9, st.sampled_from(NOT_OBJECTS)),
            "user_id": st.sampled_from(("u1", "u1", "u2", None)),
            "created_at": st.sampled_from((*TIMES, None)),
        }
    )
    return _with_ids(st.lists(rows, max_size=30), OBSERVATION)


def relationship_observations() -> st.SearchStrategy[pl.DataFrame]:
    """Return ``relationship_observations`` of a few relationships."""
    keys = st.sampled_from((*PLAIN_KEYS[:2], *ODD_KEYS))
    rows = st.fixed_dictionaries(
        {
            "relationship_key": st.sampled_from(("r1", "r2", "r3", "R1")),
            "relationship_type": st.sampled_from(("PART_OF", "PART_OF", "REFERS_TO")),
            "source_entity_id": st.just("e1"),
            "target_entity_id": st.just("e2"),
            "observed_at": st.sampled_from((*TIMES * 4, *BAD_TIMES, None)),
            "source_priority": st.sampled_from((None, *PLAIN_PRIORITIES, *ODD_PRIORITIES)),
            "metadata": st.one_of(*[object_texts(keys)] * 9, st.sampled_from(NOT_OBJECTS)),
            "user_id": st.sampled_from(("u1", "u1", "u2", None)),
            "created_at": st.sampled_from((*TIMES, None)),
        }
    )
    return _with_ids(st.lists(rows, max_size=30), RELATIONSHIP_OBSERVATION)


OBSERVATION: Final = {
    "id": pl.String,
    "entity_id": pl.String,
    "entity_type": pl.String,
    "schema_version": pl.String,
    "observed_at": pl.String,
    "specificity_score": pl.String,
    "source_priority": pl.String,
    "observation_source": pl.String,
    "fields": pl.String,
    "user_id": pl.String,
    "created_at": pl.String,
    "_rowid": pl.Int64,
}
RELATIONSHIP_OBSERVATION: Final = {
    "id": pl.String,
    "relationship_key": pl.String,
    "relationship_type": pl.String,
    "source_entity_id": pl.String,
    "target_entity_id": pl.String,
    "observed_at": pl.String,
    "source_priority": pl.String,
    "metadata": pl.String,
    "user_id": pl.String,
    "created_at": pl.String,
    "_rowid": pl.Int64,
}


def _ids() -> st.SearchStrategy[str]:
    written = st.text(_HEX, min_size=4, max_size=4).map(lambda text: f"{text}-0")
    odd = st.sampled_from(
        (
            "obs_1",
            "obs-1",
            "obs1",
            "Obs1",
            "OBS1",
            'i"d',
            "i,d",
            "é1",
            "e1",
            "\\",
            "obs1\x07",
            "obs1\x08",
            HALVED,
        )
    )
    return st.one_of(written, written, odd)


def _with_ids(
    rows: st.SearchStrategy[list[dict[str, object]]], schema: dict[str, type[pl.DataType]]
) -> st.SearchStrategy[pl.DataFrame]:
    """Give every row an id of its own; written and odd ids mix in some frames only."""

    @st.composite
    def frames(draw: st.DrawFn) -> pl.DataFrame:
        stated = draw(rows)
        ids = draw(st.lists(_ids(), min_size=len(stated), max_size=len(stated), unique=True))
        numbered = [
            {"id": id_, "_rowid": number, **row}
            for number, (id_, row) in enumerate(zip(ids, stated, strict=True), 1)
        ]
        return pl.DataFrame(numbered, schema=schema)

    return frames()
