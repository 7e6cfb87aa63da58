"""What does not leave the database."""

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.export.redaction import (
    SECRET_TYPES,
    Redactions,
    hash_value,
    redact_object,
    redactions_of,
)

SALT = b"salt"
SCHEMA = {
    "entity_type": "contact",
    "schema_definition": '{"fields":{"phone":{"type":"string","sensitivity_class":"personal"},'
    '"email":{"type":"string","sensitivity_class":"public"},"name":{"type":"string"}}}',
}


@pytest.mark.parametrize("entity_type", sorted(SECRET_TYPES))
def test_no_field_of_a_type_that_holds_credentials_leaves(entity_type: str) -> None:
    redactions = redactions_of([f"{entity_type}.anything=hash"], [])
    assert redactions.of(entity_type, "shared_secret") == "drop"
    assert redactions.of(entity_type, "anything") == "drop"
    assert not redactions.keeps_name(entity_type)


def test_fields_that_a_schema_marks_as_sensitive_are_dropped_whatever_is_asked() -> None:
    redactions = redactions_of(["contact.phone=hash"], [SCHEMA])
    assert redactions.of("contact", "phone") == "drop"
    assert redactions.of("contact", "email") is None
    assert redactions.of("contact", "name") is None


def test_a_star_is_every_type_and_dropping_wins_over_hashing() -> None:
    redactions = redactions_of(["*.email=hash", "contact.email", "*.iban"], [])
    assert redactions.of("contact", "email") == "drop"
    assert redactions.of("lead", "email") == "hash"
    assert redactions.of("lead", "iban") == "drop"
    assert redactions.of("lead", "name") is None


@pytest.mark.parametrize("text", ["", "contact", "contact.", ".email", "contact.email=mask"])
def test_what_names_no_field_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no field"):
        redactions_of([text], [])


def test_a_schema_that_cannot_be_read_marks_nothing() -> None:
    assert redactions_of([], [{**SCHEMA, "schema_definition": "{"}]).fields == {}


def test_an_object_is_left_without_what_is_redacted() -> None:
    redactions = Redactions({("contact", "email"): "hash", ("contact", "phone"): "drop"})
    text = redact_object('{"name":"n","email":"e","phone":"p"}', "contact", redactions, SALT)
    assert text == f'{{"name":"n","email":"{hash_value(chr(34) + "e" + chr(34), SALT)}"}}'
    assert redact_object("no object", "contact", redactions, SALT) is None


def test_a_hash_is_one_for_one_value_and_another_with_another_salt() -> None:
    assert hash_value("e", SALT) == hash_value("e", SALT)
    assert len({hash_value("e", SALT), hash_value("e", b"other"), hash_value("f", SALT)}) == 3
