"""Our JSON documents, written, and validated when read; times that users ask for."""
