"""Neotoma's column encryption (format, section 6.8): what is sealed, with which key.

``columns`` opens and seals frames, ``key`` is the data key, ``secret`` keeps words out of sight.
``key`` loads a cryptographic library and is imported only where a key is at hand.
"""

from neotoma_core.neotoma.encryption.columns import (
    SEALED_SHAPE,
    find_sealed_rows,
    is_sealed,
    open_cells,
    open_rows,
    open_what_opens,
    seal_rows,
)
from neotoma_core.neotoma.encryption.secret import Secret

__all__ = [
    "SEALED_SHAPE",
    "Secret",
    "find_sealed_rows",
    "is_sealed",
    "open_cells",
    "open_rows",
    "open_what_opens",
    "seal_rows",
]
