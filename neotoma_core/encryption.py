"""Neotoma's column encryption: the shape of a sealed value (format, section 6.8)."""

from typing import Final

import polars as pl

# iv:tag:ciphertext in lower-case hex; there is no other marker.
SEALED_SHAPE: Final = r"^[0-9a-f]{32}:[0-9a-f]{32}:[0-9a-f]+$"


def is_sealed(column: str) -> pl.Expr:
    """Return whether each value of a text column has the shape of an encrypted one."""
    return pl.col(column).str.contains(SEALED_SHAPE).fill_null(value=False)
