"""How a recovery begins: what is asked for, and the backups, named or searched for."""
