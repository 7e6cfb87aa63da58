"""The erasure ledger of a vault, and what it means for rows and files that are read again."""
