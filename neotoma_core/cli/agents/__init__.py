"""``midden mcp``, ``midden approve`` and ``midden audit``: an agent asks, a person decides."""
