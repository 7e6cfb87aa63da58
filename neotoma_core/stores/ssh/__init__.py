"""A store on a second machine, through SSH: the connection, and what is asked of the far side."""
