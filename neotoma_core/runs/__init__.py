"""One run of any operation: its vault, evidence, scratch, and the databases that take part."""
