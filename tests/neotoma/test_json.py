"""JSON, numbers and blanks against what Node 20.20.2 printed."""

import pytest

from neotoma_core.neotoma.json import (
    MAX_DEPTH,
    JsonValue,
    NotJson,
    in_object_order,
    javascript_trim,
    number_text,
    parse_json,
    stringify,
)

# (text, what Node prints for JSON.stringify(JSON.parse(text)))
REWRITTEN = [
    ("1.0", "1"),
    ("-0", "0"),
    ('{"x": -0 , "y": [ -0.0 ]}', '{"x":0,"y":[0]}'),
    ("-0.5", "-0.5"),
    ("1E5", "100000"),
    ("1.50", "1.5"),
    ("100.00", "100"),
    ("0.00001", "0.00001"),
    ("0.000001", "0.000001"),
    ("0.0000001", "1e-7"),
    ("123456789012345680000", "123456789012345680000"),
    ("1e20", "100000000000000000000"),
    ("1e21", "1e+21"),
    ("12345678901234567890", "12345678901234567000"),
    ("9007199254740993", "9007199254740992"),
    ("0.99999999999999999999", "1"),
    ("5e-324", "5e-324"),
    ("1e400", "null"),
    ("[-1e400]", "[null]"),
    (' { "b" : [ ] , "a" : { } }\n', '{"b":[],"a":{}}'),
    (r'"\u00e9\/\u2028"', '"é/\u2028"'),
    (r'"\b\f\n\r\t\u0001\u001f\u007f\"\\"', '"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\"\\\\"'),
    (r'"\ud800"', r'"\ud800"'),
    (r'"\ud83d\ude00\ude00\ud83d"', '"😀\\ude00\\ud83d"'),
    ('{"10":1,"2":2,"a":3,"01":4}', '{"2":2,"10":1,"a":3,"01":4}'),
    ('{"4294967295":1,"4294967294":2}', '{"4294967294":2,"4294967295":1}'),
    (r'{"a":0,"\u0031":1}', '{"1":1,"a":0}'),
    ('{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'),
    ('{"__proto__":1}', '{"__proto__":1}'),
    ('"1e5,"', '"1e5,"'),
]

REJECTED = [
    *("", " ", "NaN", "Infinity", "-Infinity", "nul", "[1,]", '{"a":1,}', "01", "1.", ".5", "+1"),
    *('"\t"', r'"\x41"', r'"\u00g0"', "\ufeff1", "\v1", "\u00a01", "{a:1}", "1 2", "٣", "'a'"),
]

# (double, what Node prints for String(double))
PRINTED = [
    (0.0, "0"),
    (-0.0, "0"),
    (1.0, "1"),
    (-1.5, "-1.5"),
    (0.1 + 0.2, "0.30000000000000004"),
    (1 / 3, "0.3333333333333333"),
    (123456789.125, "123456789.125"),
    (1e16, "10000000000000000"),
    (1.5e300, "1.5e+300"),
    (1e21, "1e+21"),
    (1e-6, "0.000001"),
    (1e-7, "1e-7"),
    (-1.5e-9, "-1.5e-9"),
    (5e-324, "5e-324"),
    (9007199254740993, "9007199254740992"),
    (float("inf"), "Infinity"),
    (float("-inf"), "-Infinity"),
    (float("nan"), "NaN"),
]


@pytest.mark.parametrize(("text", "expected"), REWRITTEN)
def test_json_is_rewritten_as_node_rewrites_it(text: str, expected: str) -> None:
    assert stringify(parse_json(text)) == expected


@pytest.mark.parametrize("text", REJECTED)
def test_what_node_rejects_is_not_json(text: str) -> None:
    with pytest.raises(NotJson):
        parse_json(text)


@pytest.mark.parametrize(("number", "expected"), PRINTED)
def test_numbers_print_as_node_prints_them(number: float, expected: str) -> None:
    assert number_text(number) == expected


@pytest.mark.parametrize("text", ['["planted secret",]', '{"planted secret":NaN}', '"planted'])
def test_neither_the_message_nor_the_chain_of_an_error_holds_the_text(text: str) -> None:
    with pytest.raises(NotJson) as caught:
        parse_json(text)

    assert "planted" not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_a_whole_number_is_an_int_and_a_number_beyond_doubles_is_a_float() -> None:
    assert [type(v) for v in as_list(parse_json("[1.0, -0, 1e3, 9007199254740993, 1.5]"))] == [
        *(int, int, int, int, float),
    ]
    assert isinstance(parse_json("12345678901234567890"), float)


def test_true_is_not_a_number() -> None:
    assert stringify(parse_json("[true,1,false,0,null]")) == "[true,1,false,0,null]"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_read_to_the_stated_depth_and_no_further(opening: str, closing: str) -> None:
    deepest = opening * MAX_DEPTH + "1" + closing * MAX_DEPTH
    assert stringify(parse_json(deepest)) == deepest

    with pytest.raises(NotJson):
        parse_json(opening * (MAX_DEPTH + 1) + "1" + closing * (MAX_DEPTH + 1))


def test_brackets_in_strings_are_not_nesting() -> None:
    text = '["' + '[{\\"' * MAX_DEPTH + '"]'
    assert stringify(parse_json(text)) == text


def test_many_shallow_arrays_are_not_deep() -> None:
    text = "[" + ",".join(["[]"] * (MAX_DEPTH + 1)) + "]"
    assert stringify(parse_json(text)) == text


def test_what_is_not_finite_is_written_as_null() -> None:
    assert stringify([float("inf"), float("nan"), 0.1]) == "[null,null,0.1]"


def test_integers_beyond_doubles_are_written_as_the_double() -> None:
    assert stringify([2**53 + 1, 2**70]) == "[9007199254740992,1.1805916207174113e+21]"


def test_array_indices_come_first_and_ascend_and_the_rest_keeps_its_order() -> None:
    assert list(in_object_order({"b": 1, "10": 2, "9": 3, "a": 4, "0": 5, "-1": 6, "1.5": 7})) == [
        *("0", "9", "10", "b", "a", "-1", "1.5"),
    ]


def test_a_text_is_trimmed_of_what_javascript_calls_blank() -> None:
    assert javascript_trim("\ufeff\u00a0\t\n\v\f\r \u2028\u3000x y\u2029\u1680\u200a") == "x y"
    assert javascript_trim("\x1cx\x85\u180e\u200b") == "\x1cx\x85\u180e\u200b"


def as_list(value: JsonValue) -> list[JsonValue]:
    assert isinstance(value, list)
    return value
