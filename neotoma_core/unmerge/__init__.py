"""``midden unmerge``: a merge of entities undone."""
