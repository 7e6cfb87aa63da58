"""The Prefect flows. Each names operations and their order; all of them run without it too."""
