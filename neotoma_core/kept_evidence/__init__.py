"""The evidence that runs left in a vault: how long it stays, and what only it still has."""
