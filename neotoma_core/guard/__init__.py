"""The guard in front of all that takes rows away; ``midden reset``, and the shell's guard."""
