"""``midden history``: one entity, every version of its observations."""
