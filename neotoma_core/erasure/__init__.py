"""``midden erase``: what the law or the user wants gone, for good."""
