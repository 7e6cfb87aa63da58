"""``midden pull``, and the logs of a remote as backups of any other command."""
