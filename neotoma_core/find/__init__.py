"""``midden find`` and ``status``: which copies there are, whose, and what each is worth."""
