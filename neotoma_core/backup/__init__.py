"""``midden backup``, ``verify``, ``backups`` and ``prune``.

Taking a backup, proving it, keeping and rotating it. Not here: how backups lie on disk (``vault``).
"""
