"""``midden doctor``: what could go wrong around a database, each with what to do about it."""
