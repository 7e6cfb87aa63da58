"""``midden recover``: the plan, the commit, its proofs and its report."""
