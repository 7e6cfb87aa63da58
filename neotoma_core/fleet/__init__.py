"""One operation over every database of ``midden.toml``; one that fails never stops the others."""
