"""A real panic of a native library, for tests; what it says quotes a planted text."""

import polars as pl
import pyarrow as pa

assert pa.Table  # loaded here: where a panic is planted, memory may be limited

SECRET = "planted-secret"  # noqa: S105 - what must not be seen


def panic(*_words: object, **_means: object) -> object:
    """Make polars panic."""
    frame = pl.DataFrame({f"{SECRET}\0": [1]})
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def quote(*_words: object, **_means: object) -> object:
    """Raise the same as a panic whose message quotes the text itself."""
    try:
        panic()
    except BaseException as error:  # noqa: BLE001 - no other class is known by name
        kind = type(error)
    raise kind(SECRET)
