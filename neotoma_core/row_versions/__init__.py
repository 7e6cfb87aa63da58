"""Rows of the log as versions, each with its hash: what an archive is made of."""
