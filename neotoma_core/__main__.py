"""``python -m neotoma_core``: the ``midden`` command."""

from neotoma_core.cli import main

main()
