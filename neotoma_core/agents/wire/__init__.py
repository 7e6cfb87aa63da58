"""The tools over the wire: the server of the SDK, HTTP, what clients' settings say of it.

What takes long to load is loaded by the first call that needs it.
"""
