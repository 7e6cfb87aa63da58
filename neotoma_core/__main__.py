"""The ``midden`` command, also as ``python -m neotoma_core``."""

import gc
import signal

# Loading modules makes many objects and no garbage: looking for cycles as often as Python does
# by itself would take a fifth of the start.
if gc.isenabled():
    gc.set_threshold(100_000, 10, 10)
# Until the command can say what it has done, nothing is done: an interrupt just ends it.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from neotoma_core.cli import main

if __name__ == "__main__":
    main()
