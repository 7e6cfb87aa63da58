"""``midden restore``: putting a database back to what evidence, a backup or an archive holds."""
